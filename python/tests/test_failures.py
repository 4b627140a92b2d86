# SPDX-License-Identifier: BSD-3-Clause
"""Odd exceptions of tasks."""

import asyncio
import dataclasses
import gc
import logging
import traceback
import weakref

import pytest

import plait
from failing import Big, Odd, both, caught, collected, throw
from plait.delayed import delayed

# ---- exceptions that don't let themselves be changed, or shown ----


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):
    reason: str


@both
def test_a_frozen_exception(scheduler):
    error = caught(delayed(throw)(Frozen("why")), scheduler=scheduler)
    assert type(error) is Frozen and error.reason == "why"
    assert error.__notes__ == ["in task throw(Frozen(reason='why'))"]
    (failure,) = plait.failures(error)
    assert failure.exception is error
    assert "in throw" in failure.traceback_text


class Slotted(Exception):
    __slots__ = ("reason",)


@both
def test_an_exception_with_slots(scheduler):
    error = caught(delayed(throw)(Slotted("why")), scheduler=scheduler)
    assert type(error) is Slotted
    assert [one.exception for one in plait.failures(error)] == [error]


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no str")

    __repr__ = __str__

    def add_note(self, note):
        raise RuntimeError("no notes")


@both
def test_an_exception_that_can_not_be_shown(scheduler, caplog):
    tasks = [delayed(throw)(Unspeakable()) for _ in range(2)]
    with caplog.at_level(logging.ERROR, logger="plait"):
        error = caught(*tasks, scheduler=scheduler)
    assert type(error) is Unspeakable
    failures = plait.failures(error)
    assert len(failures) == 2
    for failure in failures:
        assert "in throw" in failure.traceback_text
    texts = [one.getMessage() for one in caplog.records]
    assert len(texts) == 2
    assert all("failed: Unspeakable: <" in text for text in texts)


class Locked(Exception):
    def __getattr__(self, name):
        raise RuntimeError(name)


@both
def test_an_exception_that_has_no_attributes(scheduler):
    failures = collected(
        *[delayed(throw)(Locked()) for _ in range(2)], scheduler=scheduler
    )
    for failure in failures:
        assert type(failure.exception) is Locked
        assert "in throw" in failure.traceback_text
        assert "Locked" in failure.traceback_text


class Noting(Exception):
    """Keeps notes its own way."""

    def __init__(self):
        self.own = []

    def add_note(self, note):
        self.own.append(note)


def test_an_exception_with_an_add_note_of_its_own():
    error = caught(delayed(throw)(Noting()))
    assert len(error.own) == 1 and error.own[0].startswith("in task throw(")
    assert not hasattr(error, "__notes__")


class Noted(Exception):
    __notes__ = ("not a list",)


def test_notes_that_are_no_list():
    error = caught(delayed(throw)(Noted()))
    assert type(error) is Noted
    assert [one.exception for one in plait.failures(error)] == [error]


def test_notes_of_the_task_s_own_come_first():
    def fail():
        error = Odd()
        error.add_note("mine")
        raise error

    assert caught(delayed(fail)()).__notes__ == ["mine", "in task fail()"]


# ---- one exception, many failures ----


@both
@pytest.mark.parametrize("first", [None, Odd()])
def test_one_exception_of_many_tasks(scheduler, first):
    shared = Odd("shared")
    fail = delayed(throw)
    tasks = [fail(first)] if first else []
    tasks += [fail(shared) for _ in range(200)]
    error = caught(*tasks, scheduler=scheduler)
    assert error is (first or shared)
    failures = plait.failures(error)
    assert len(failures) == len(tasks)
    assert shared.__notes__ == ["in task throw(Odd('shared'))"]
    assert len(traceback.extract_tb(shared.__traceback__)) < 10
    assert failures[-1].traceback_text.count("in throw") == 1


def test_a_shared_exception_has_the_note_of_the_first_task():
    shared = Odd()

    def fail(i):
        raise shared

    done = delayed(len)([1])
    late = delayed(lambda i, _: throw(shared))(0, done)
    tasks = [delayed(fail)(i) for i in (3, 4)]
    assert caught(late, *tasks, scheduler="sync") is shared
    (note,) = shared.__notes__
    assert note == "in task lambda-0 ← len([1])"


# ---- chains of exceptions ----


@both
def test_a_member_of_a_group_that_has_failed_alone(scheduler):
    shared = Odd("shared")

    def group():
        raise ExceptionGroup("several", [shared, Odd("own")])

    fail = delayed(throw)(shared)
    tasks = [delayed(throw)(Odd()), fail, delayed(group)(), fail]
    for order in (tasks, tasks[::-1]):
        for failure in collected(*order, scheduler=scheduler):
            assert "Odd" in failure.traceback_text
        collected(*order[:1], *[delayed(group)()] * 3, scheduler=scheduler)


@both
def test_causes_that_go_round(scheduler):
    def fail(i):
        one, other = Odd(f"one {i}"), Odd(f"other {i}")
        one.__cause__, other.__cause__ = other, one
        raise one

    failures = collected(
        *[delayed(fail)(i) for i in range(3)], scheduler=scheduler
    )
    for i, failure in enumerate(failures):
        assert f"Odd: one {i}" in failure.traceback_text
        assert f"Odd: other {i}" in failure.traceback_text


@both
@pytest.mark.parametrize("how", ["cause", "context", "group"])
def test_frames_of_a_chain_are_let_go_of_too(scheduler, how):
    alive = []

    def deep(i):
        big = Big()
        alive.append(weakref.ref(big))
        raise KeyError(i)

    def fail(i):
        try:
            deep(i)
        except KeyError as error:
            if how == "cause":
                raise Odd(i) from error
            if how == "context":
                raise Odd(i)
            raise ExceptionGroup("several", [error, Odd(i)]) from None

    failures = collected(
        *[delayed(fail)(i) for i in range(3)], scheduler=scheduler
    )
    gc.collect()
    assert sum(one() is not None for one in alive) == 1
    for i, failure in enumerate(failures):
        text = failure.traceback_text
        assert f"KeyError: {i}" in text and "raise KeyError(i)" in text
        assert "in deep" in text and "in fail" in text


def test_what_the_caller_handles_keeps_its_frames():
    def begin():
        own = "kept"
        raise KeyError(own)

    try:
        begin()
    except KeyError as error:
        collected(
            *[delayed(throw)(Odd(i)) for i in range(3)], scheduler="sync"
        )
        frame = error.__traceback__.tb_next.tb_frame
        assert frame.f_locals == {"own": "kept"}
    else:
        pytest.fail("nothing was raised")


def test_a_long_chain_of_causes():
    def fail():
        error = Odd("first")
        for i in range(20_000):
            later = Odd(i)
            later.__cause__ = error
            error = later
        raise error

    first, second = collected(delayed(fail)(), delayed(fail)())
    assert first.exception.args == second.exception.args == (19_999,)
    for failure in (first, second):  # freeing them may recurse, in Python
        while failure.exception.__cause__ is not None:
            cause = failure.exception.__cause__
            failure.exception.__cause__ = cause.__cause__


def test_a_recursion_without_end():
    def fail(i):
        return fail(i + 1)

    failures = collected(delayed(fail)(0), delayed(fail)(0))
    for failure in failures:
        assert type(failure.exception) is RecursionError
        assert "Previous line repeated" in failure.traceback_text


# ---- what is an Exception, and what isn't ----


@both
@pytest.mark.parametrize(
    "kind", [MemoryError, StopIteration, StopAsyncIteration, TimeoutError]
)
def test_exceptions_that_mean_something_else_elsewhere(scheduler, kind):
    failed, done = collected(
        delayed(throw)(kind()), delayed(len)("abc"), scheduler=scheduler
    )
    assert type(failed.exception) is kind and done == 3
    assert type(caught(delayed(throw)(kind()))) is kind


@both
@pytest.mark.parametrize("on_error", ["finish", "stop", "collect"])
@pytest.mark.parametrize(
    "kind",
    [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError],
)
def test_what_is_no_exception_is_raised_as_it_was(scheduler, on_error, kind):
    given = kind("now")
    error = caught(
        delayed(throw)(given), scheduler=scheduler, on_error=on_error
    )
    assert error is given
    frames = traceback.extract_tb(error.__traceback__)
    assert frames[-1].name == "throw"
    assert not hasattr(error, "__notes__")


@both
def test_a_group_of_what_is_no_exception_ends_the_run(scheduler):
    group = BaseExceptionGroup("all", [KeyboardInterrupt(), Odd()])
    error = caught(
        delayed(throw)(group), on_error="collect", scheduler=scheduler
    )
    assert error is group


@both
def test_a_group_is_a_failure(scheduler):
    group = ExceptionGroup("all", [Odd(1), ExceptionGroup("in", [Odd(2)])])
    (failure,) = collected(delayed(throw)(group), scheduler=scheduler)
    assert failure.exception is group
    assert "Odd: 2" in failure.traceback_text
