# SPDX-License-Identifier: BSD-3-Clause
"""What is kept of failures, and how long."""

import gc
import logging
import weakref

import pytest

from failing import Big, Odd, both, collected, handled_by, throw
from plait import _core
from plait.base import compute
from plait.delayed import delayed

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


@both
def test_frames_without_their_variables_can_be_looked_at(scheduler):
    def around(limit):
        def refuse(x):
            try:
                throw(Odd(limit))
            except Odd as odd:
                raise Odd(x) from odd

        return delayed(refuse)

    failures = collected(*map(around(3), range(3)), scheduler=scheduler)
    for one in failures[1:]:
        at = one.exception.__cause__.__traceback__
        frames = [at.tb_frame, at.tb_next.tb_frame]
        names = [frame.f_code.co_name for frame in frames]
        assert names == ["refuse", "throw"]
        assert [frame.f_locals for frame in frames] == [{}, {}]

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
