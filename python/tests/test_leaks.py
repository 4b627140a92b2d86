# SPDX-License-Identifier: BSD-3-Clause
"""Thousands of computations, however they end, leave what was there before:
memory, references (on a debug build of Python), threads, file descriptors."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import threading

import pytest

import plait
from plait import compute, delayed, start

WARM_UP = 100
TIMES = 2_000  # of most of the ways to end
FEWER = 200    # of those that take a while

# What may come and go by itself: caches, dicts that are resized, and what a
# worker is about to free. A leak shows with each computation.
SLACK = 400
SLACK_EACH = 0.5


@pytest.fixture(params=["sync", "threads"])
def scheduler(request):
    return request.param


@pytest.fixture(autouse=True)
def silence():
    """Failures are logged to nobody, and kept by nobody."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


class Counts:
    """What there is now."""

    def __init__(self):
        for _ in range(3):
            gc.collect()
        self.blocks = sys.getallocatedblocks()
        self.references = getattr(sys, "gettotalrefcount", lambda: 0)()
        self.objects = len(gc.get_objects())
        self.threads = threading.active_count()
        self.files = len(os.listdir("/proc/self/fd"))

    def assert_no_more_than(self, before, times):
        slack = max(SLACK, times * SLACK_EACH)
        assert self.threads <= before.threads
        assert self.files <= before.files
        assert self.objects <= before.objects + slack
        assert self.blocks <= before.blocks + slack
        assert self.references <= before.references + slack


def repeat(act, times=TIMES):
    for _ in range(WARM_UP):
        act()
    before = Counts()
    for _ in range(times):
        act()
    Counts().assert_no_more_than(before, times)


def some_tasks(function):
    inputs = [delayed(abs)(n) for n in range(3)]
    return [function(one) for one in inputs] + [delayed(sum)(inputs)]


def test_succeeding(scheduler):
    repeat(lambda: compute(*some_tasks(delayed(float)), scheduler=scheduler))


@pytest.mark.parametrize("on_error", ["finish", "stop", "collect"])
def test_failing(scheduler, on_error):
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

    repeat(act)


def test_failing_with_retries(scheduler):
    def fail(n):
        raise ValueError(n)

    def act():
        with pytest.raises(ValueError):
            compute(delayed(fail)(1), scheduler=scheduler, retries=2)

    repeat(act)


def test_cancelled():
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

    repeat(act)


def test_timed_out(scheduler):
    def loop(n):
        while True:
            pass

    def act():
        with pytest.raises(TimeoutError):
            compute(delayed(loop)(1), scheduler=scheduler, timeout=0.001)

    repeat(act, FEWER)


def test_interrupted(scheduler):
    main = threading.main_thread().ident

    def interrupt(n):
        signal.pthread_kill(main, signal.SIGINT)
        while True:  # until the exception that a cancelled task gets
            pass

    def act():
        with pytest.raises(KeyboardInterrupt):
            compute(delayed(interrupt)(1), scheduler=scheduler)

    repeat(act, FEWER)


def test_exceptions_that_end_the_run(scheduler):
    def leave(n):
        raise SystemExit(n)

    def act():
        with pytest.raises(SystemExit):
            compute(*some_tasks(delayed(leave)), scheduler=scheduler)

    repeat(act)


def test_failing_runs_of_frames_that_hold_them(scheduler):
    def fail(n):
        raise ValueError(n)

    def act():
        run = start(*some_tasks(delayed(fail)), scheduler=scheduler)
        run.wait()

    repeat(act, FEWER)


def test_runs_that_nobody_waits_for():
    repeat(lambda: start(*some_tasks(delayed(float))) and None)


def test_awaited():
    async def main():
        for _ in range(TIMES):
            await plait.acompute(*some_tasks(delayed(float)))

    asyncio.run(main())
    before = Counts()
    asyncio.run(main())
    Counts().assert_no_more_than(before, TIMES)


def test_executors():
    def act():
        with plait.ThreadPoolExecutor(2) as executor:
            assert executor.submit(abs, -1).result() == 1
            assert delayed(abs)(-1).compute(pool=executor) == 1

    repeat(act, FEWER)


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

    repeat(settle, FEWER)


def test_pools_of_ones_own():
    from plait import _core

    def act():
        pool = _core.open_executor("threads", 2)
        assert delayed(abs)(-1).compute(pool=pool) == 1
        _core.close_executor(pool)

    repeat(act, FEWER)


def test_log_fields():
    def act():
        with plait.log_fields():
            compute(delayed(logging.makeLogRecord)({}))

    repeat(act)
