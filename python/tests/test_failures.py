# SPDX-License-Identifier: BSD-3-Clause
"""Odd exceptions of tasks, and what is kept of failures."""

import asyncio
import contextlib
import copy
import dataclasses
import gc
import io
import logging
import pdb
import pickle
import traceback
import weakref

import pytest

import plait
from plait import _core
from plait.base import compute
from plait.delayed import delayed
from plait.failures import debug

both = pytest.mark.parametrize("scheduler", ["threads", "sync"])


class Big:
    """Something whose end is seen."""

    def __init__(self, *parts):
        self.parts = parts


class Odd(Exception):
    pass


def throw(exception):
    raise exception


def collected(*tasks, **options):
    return compute(*tasks, on_error="collect", **options)


def caught(*tasks, **options):
    with pytest.raises(BaseException) as raised:
        compute(*tasks, **options)
    return raised.value


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


# ---- telling ----


class Failing(logging.Handler):
    def __init__(self, kind):
        super().__init__(logging.ERROR)
        self.kind = kind

    def emit(self, record):
        raise self.kind("in a handler")


@contextlib.contextmanager
def handled_by(*handlers):
    """Plait's log has these handlers, and no others."""
    log = logging.getLogger("plait")
    before = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = handlers, False
    try:
        yield
    finally:
        log.handlers[:], log.propagate = before


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@both
def test_each_failure_is_logged_with_its_traceback(scheduler):
    kept = Kept()
    tasks = [delayed(throw)(Odd(i)) for i in range(4)]
    with handled_by(kept):
        collected(*tasks, scheduler=scheduler)
    assert len(kept.lines) == 4
    for line in kept.lines:
        assert line.startswith("task throw-")
        assert "in throw\n" in line and "in task throw(Odd(" in line


@both
def test_a_handler_that_raises_hides_no_failure(scheduler, capfd):
    kept = Kept()
    with handled_by(Failing(Odd), kept):
        error = caught(delayed(throw)(KeyError("own")), scheduler=scheduler)
    assert type(error) is KeyError
    assert len(plait.failures(error)) == 1 and len(kept.lines) == 1
    assert "in a handler" in capfd.readouterr().err


@both
def test_a_handler_that_is_interrupted_ends_the_run(scheduler):
    with handled_by(Failing(KeyboardInterrupt)):
        error = caught(
            delayed(throw)(Odd()), on_error="collect", scheduler=scheduler
        )
    assert type(error) is KeyboardInterrupt


def test_nothing_is_shown_that_no_handler_wants():
    shown = []

    class Told(Odd):
        def __str__(self):
            shown.append(self)
            return "told"

    def fail():
        raise Told

    for handler in (logging.NullHandler(), Failing(Odd)):
        handler.setLevel(logging.CRITICAL)
        with handled_by(handler):
            assert len(collected(delayed(fail)(), delayed(fail)())) == 2
    with handled_by(logging.NullHandler()):
        assert len(collected(delayed(fail)(), delayed(fail)())) == 2
    assert shown == []


def test_a_filter_of_the_log_sees_each_failure():
    log = logging.getLogger("plait")
    seen = []
    see = seen.append
    log.addFilter(see)
    try:
        with handled_by(logging.NullHandler()):
            collected(delayed(throw)(Odd()), delayed(throw)(Odd()))
    finally:
        log.removeFilter(see)
    assert [one.levelno for one in seen] == [logging.ERROR] * 2


# ---- copies ----


def test_what_was_raised_can_be_pickled():
    error = caught(delayed(throw)(Odd("why")), delayed(throw)(KeyError()))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is Odd and again.args == ("why",)
    assert again.__notes__ == error.__notes__
    assert plait.failures(again) == ()
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert copied.__notes__ == error.__notes__
    assert len(plait.failures(error)) == 2


# ---- a computation in a task ----


@both
def test_a_failure_in_a_computation_in_a_task(scheduler):
    def inner():
        return compute(delayed(throw)(Odd("deep")), scheduler="sync")

    failures = collected(
        *[delayed(inner)() for _ in range(2)], scheduler=scheduler
    )
    for failure in failures:
        assert failure.exception.__notes__ == [
            "in task throw(Odd('deep'))",
            "in task inner()",
        ]
        assert "in inner" in failure.traceback_text
        assert "in throw" in failure.traceback_text
    error = caught(delayed(inner)(), scheduler=scheduler)
    (failure,) = plait.failures(error)
    with pytest.raises(Odd, match="deep"):
        debug(failure)


# ---- what is kept, and how long ----


def make_big(alive):
    big = Big()
    alive.append(weakref.ref(big))
    return big


@both
def test_inputs_of_a_failed_task_are_let_go_of(scheduler):
    alive = []

    def refuse(big, failure):
        raise Odd

    def look(failure):
        gc.collect()
        return [one() is not None for one in alive]

    # The first failure keeps its own inputs, the others don't.
    first = delayed(throw)(Odd())
    big = delayed(make_big)(alive)
    bad = delayed(refuse, on_failure="pass")(big, first)
    looks = delayed(look, on_failure="pass")(bad)
    with handled_by(logging.NullHandler()):  # pytest's keeps tracebacks
        failed, seen = collected(first, looks, scheduler=scheduler)
    assert not failed and seen == [False]


@both
def test_inputs_of_what_never_runs_are_let_go_of(scheduler):
    alive = []

    def look(failure):
        gc.collect()
        return [one() is not None for one in alive]

    bad = delayed(throw)(Odd())
    big = delayed(make_big)(alive)
    used = delayed(len)([big, delayed(make_big)(alive), bad, big])
    later = delayed(len)([used, delayed(make_big)(alive)])
    looks = delayed(look, on_failure="pass")(later)
    (seen,) = collected(looks, scheduler=scheduler)
    assert seen == [False] * 3


@both
@pytest.mark.parametrize("inner", ["threads", "sync"])
def test_what_is_let_go_of_may_compute(scheduler, inner):
    ends = []

    class Computing:
        def __del__(self):
            inputs = [delayed(abs)(-1), delayed(throw)(Odd())]
            ends.append(collected(*inputs, scheduler=inner)[0])

    def refuse(given):
        raise Odd

    bad = delayed(throw)(Odd())
    tasks = [delayed(len)([delayed(Computing)(), bad]) for _ in range(20)]
    tasks += [delayed(refuse)(delayed(Computing)()) for _ in range(20)]
    with handled_by(logging.NullHandler()):
        assert len(collected(*tasks, scheduler=scheduler)) == 40
        gc.collect()
    assert ends == [1] * 40


@both
def test_what_others_want_is_kept(scheduler):
    alive = []

    def refuse(big):
        raise Odd

    big = delayed(make_big)(alive)
    bad = delayed(refuse)(big)
    skipped = delayed(len)([bad, big])

    def use(big, *failures):
        return type(big)

    good = delayed(use, on_failure="pass")(big, bad, skipped)
    kept, failed, result = collected(big, skipped, good, scheduler=scheduler)
    assert type(kept) is Big and failed.skipped and result is Big
    assert type(debug_input(failed)) is Big


def debug_input(failure):
    """The input of what failed for which a task never ran."""
    frame = failure.exception.__traceback__
    while frame.tb_next is not None:
        frame = frame.tb_next
    return frame.tb_frame.f_locals["big"]


@both
def test_a_task_that_is_tried_again_keeps_its_inputs(scheduler):
    alive = []
    calls = []

    def flaky(big):
        calls.append(big is alive[0]())
        if len(calls) < 3:
            raise Odd
        return len(calls)

    task = delayed(flaky)(delayed(make_big)(alive))
    assert compute(task, scheduler=scheduler, retries=2) == (3,)
    assert calls == [True] * 3


@both
def test_what_an_attempt_raised_is_let_go_of(scheduler):
    alive = []

    def flaky():
        gone = all(one() is None for one in alive)
        if len(alive) < 3:
            big = make_big(alive)
            raise Odd(big)
        return gone

    assert compute(delayed(flaky)(), scheduler=scheduler, retries=3) == (True,)


# ---- debuggers ----


def ask(traceback, *commands):
    """What pdb says of a traceback."""
    lines = "".join(f"{command}\n" for command in (*commands, "quit"))
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO(lines), stdout=out, readrc=False)
    debugger.use_rawinput = False
    debugger.reset()
    debugger.interaction(None, traceback)
    return out.getvalue()


def fail_at(x):
    y = x + 1
    try:
        raise KeyError(y)
    except KeyError as error:
        raise Odd(y) from error


@both
def test_a_debugger_sees_where_the_first_task_failed(scheduler):
    tasks = [delayed(fail_at)(delayed(abs)(-i)) for i in (1, 2)]
    error = caught(*tasks, scheduler=scheduler)
    assert "'y' is 2" in ask(error.__traceback__, "p f'{\"y\"!r} is {y}'")
    for failure, y in zip(plait.failures(error), (2, 3)):
        with pytest.raises(Odd) as raised:
            debug(failure)
        said = ask(raised.value.__traceback__, "p f'{\"y\"!r} is {y}'", "up")
        assert f"'y' is {y}" in said
        assert "> " in said and "fail_at" in said


def test_a_debugger_sees_the_lines_of_the_others():
    _, failure = collected(*[delayed(fail_at)(i) for i in (1, 2)])
    behind = failure.exception.__cause__.__traceback__
    said = ask(behind, "where", "p y", "up", "down")
    assert "raise KeyError(y)" in said
    assert "NameError" in said


# ---- many ----


@both
def test_many_failures(scheduler):
    n = 3000
    fail = delayed(throw)
    failures = collected(
        *[fail(Odd(i)) for i in range(n)], scheduler=scheduler
    )
    assert [one.exception.args for one in failures] == [
        (i,) for i in range(n)
    ]
    assert len({one.key for one in failures}) == n
    assert failures[-1].sources == (f"throw(Odd({n - 1}))",)
    assert f"Odd: {n - 1}\n" in failures[-1].traceback_text
    kept = [one.exception.__traceback__ is not None for one in failures]
    assert kept == [True] + [False] * (n - 1)


def test_states_of_failures():
    bad = delayed(throw)(Odd())
    after = delayed(len)(bad)
    run = _core.start([after], on_error="collect")
    assert run.wait(60)
    assert run.state(bad) == "errored" and run.state(after) == "skipped"
