# SPDX-License-Identifier: BSD-3-Clause
"""10,000 computations of each way to end leave what was there before: memory,
references (on a debug build of Python), threads, file descriptors."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import threading

import pytest

import growth
import plait
from plait import compute, delayed, start

TIMES = 10_000
# Each way is split between the schedulers, and the kinds of that way.
HALF = TIMES // 2
QUARTER = TIMES // 4
FEW = 1_000


@pytest.fixture(params=["sync", "threads"])
def scheduler(request):
    return request.param


@pytest.fixture
def switching():
    """Who waits for the GIL, to end a task that loops, gets it soon."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(before)


def some_tasks(function):
    inputs = [delayed(abs)(n) for n in range(3)]
    return [function(one) for one in inputs] + [delayed(sum)(inputs)]


def loop(n):
    while True:
        pass


def test_succeeding(scheduler):
    growth.assert_none(
        lambda: compute(*some_tasks(delayed(float)), scheduler=scheduler),
        TIMES)


@pytest.mark.parametrize("on_error, times", [
    ("finish", HALF), ("stop", QUARTER), ("collect", QUARTER)])
def test_failing(scheduler, on_error, times):
    def fail(n):
        raise ValueError(n, [n])

    def act():
        try:
            compute(*some_tasks(delayed(fail)), scheduler=scheduler,
                    on_error=on_error)
        except ValueError as exception:
            assert len(plait.failures(exception)) >= 1
        else:
            assert on_error == "collect"

    growth.assert_none(act, times)


def test_failing_with_retries(scheduler):
    def fail(n):
        raise ValueError(n)

    def act():
        with pytest.raises(ValueError):
            compute(delayed(fail)(1), scheduler=scheduler, retries=2)

    growth.assert_none(act, FEW)


def test_cancelled_in_a_task(switching):
    def act():
        begun, go_on = threading.Event(), threading.Event()

        def wait(n):
            begun.set()
            go_on.wait(60)

        run = start(*some_tasks(delayed(wait)), num_workers=2)
        begun.wait(60)
        run.cancel()
        go_on.set()
        run.wait()

    growth.assert_none(act, HALF)


def test_cancelled_at_once(switching):
    def act():
        run = start(*some_tasks(delayed(loop)), num_workers=2)
        run.cancel()
        run.wait()

    growth.assert_none(act, HALF)


@pytest.mark.parametrize("limit", ["timeout", "run_timeout"])
def test_timed_out(scheduler, limit, switching):
    def act():
        with pytest.raises(TimeoutError):
            compute(delayed(loop)(1), scheduler=scheduler, **{limit: 0.001})

    growth.assert_none(act, QUARTER)


def test_interrupted(scheduler, switching):
    main = threading.main_thread().ident

    def interrupt(n):
        signal.pthread_kill(main, signal.SIGINT)
        while True:  # until the exception that a cancelled task gets
            pass

    def act():
        with pytest.raises(KeyboardInterrupt):
            compute(delayed(interrupt)(1), scheduler=scheduler)

    growth.assert_none(act, HALF)


def test_exceptions_that_end_the_run(scheduler):
    def leave(n):
        raise SystemExit(n)

    def act():
        with pytest.raises(SystemExit):
            compute(*some_tasks(delayed(leave)), scheduler=scheduler)

    growth.assert_none(act, HALF)


def test_failing_runs_of_frames_that_hold_them(scheduler):
    def fail(n):
        raise ValueError(n)

    def act():
        run = start(*some_tasks(delayed(fail)), scheduler=scheduler)
        run.wait()

    growth.assert_none(act, FEW)


def test_runs_that_nobody_waits_for():
    growth.assert_none(
        lambda: start(*some_tasks(delayed(float))) and None, HALF)


def test_awaited():
    loop = asyncio.new_event_loop()
    try:
        growth.assert_none(
            lambda: loop.run_until_complete(
                plait.acompute(*some_tasks(delayed(float)))), HALF)
    finally:
        loop.close()


def test_executors():
    def act():
        with plait.ThreadPoolExecutor(2) as executor:
            assert executor.submit(abs, -1).result() == 1
            assert delayed(abs)(-1).compute(pool=executor) == 1

    growth.assert_none(act, FEW)


def test_executors_that_are_lost():
    def act():
        executor = plait.ThreadPoolExecutor(2)
        threads = executor._threads
        assert executor.submit(abs, -1).result() == 1
        del executor
        for thread in list(threads):
            thread.join(30)

    def settle():
        act()
        for thread in threading.enumerate():
            if thread.name.startswith("plait-closer"):
                thread.join(30)

    growth.assert_none(settle, FEW)


def test_pools_of_ones_own():
    from plait import _core

    def act():
        pool = _core.open_executor("threads", 2)
        assert delayed(abs)(-1).compute(pool=pool) == 1
        _core.close_executor(pool)

    growth.assert_none(act, FEW)


def test_log_fields():
    def act():
        with plait.log_fields():
            compute(delayed(logging.makeLogRecord)({}))

    growth.assert_none(act, FEW)
