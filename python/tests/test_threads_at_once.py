# SPDX-License-Identifier: BSD-3-Clause
"""Many threads that do at once what one may do: begin computations, cancel
them, interrupt their tasks, watch them, and free them on other threads. What
comes of it is judged here; whether they raced, by a build for TSan."""

from __future__ import annotations

import concurrent.futures
import gc
import operator
import signal
import threading
import time

import pytest

import plait
from plait import _core, compute, delayed
from plait.callbacks import Callback
from plait.diagnostics import Profiler, ProgressBar

N_THREADS = 4
ROUNDS = 8
SCHEDULERS = ["sync", "threads"]
add = delayed(operator.add)


def at_once(fn, n=N_THREADS):
    """What fn returns on each of n threads that begin together."""
    together = threading.Barrier(n)

    def begin(number):
        together.wait()
        return [fn(number, turn) for turn in range(ROUNDS)]

    with concurrent.futures.ThreadPoolExecutor(n) as threads:
        return [value for values in threads.map(begin, range(n))
                for value in values]


def tree(n):
    level = [add(i, 1) for i in range(n)]
    while len(level) > 1:
        level = [add(*pair) for pair in zip(level[::2], level[1::2])]
    return level[0]


def spin(seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_same_tasks(scheduler):
    shared = tree(64)

    def work(number, turn):
        return compute(shared, add(shared, number), scheduler=scheduler)

    wanted = 64 * 65 // 2
    assert sorted(at_once(work)) == sorted(
        (wanted, wanted + number)
        for number in range(N_THREADS) for _ in range(ROUNDS))


def test_nested_computations():
    def inner(n):
        return sum(compute(*[add(n, i) for i in range(4)]))

    def work(number, turn):
        return sum(compute(*[delayed(inner)(i) for i in range(4)],
                           num_workers=3))

    assert set(at_once(work)) == {48}


def test_runs_are_cancelled_while_others_wait():
    def work(number, turn):
        run = _core.start([delayed(spin)(), tree(16)])
        seen = []
        run.add_done_callback(seen.append)
        canceller = threading.Thread(target=run.cancel)
        canceller.start()
        with pytest.raises(concurrent.futures.CancelledError):
            run.result()
        canceller.join()
        return run.counts()["total"]

    assert set(at_once(work)) == {32}


def test_tasks_end_as_their_time_is_up():
    task = delayed(spin, timeout=0.004)

    def work(number, turn):
        seconds = [0.003 + 0.0005 * n for n in range(4)]
        return compute(*map(task, seconds), on_error="collect",
                       num_workers=4)

    for values in at_once(work):
        for value in values:
            assert value is None or isinstance(value.exception, TimeoutError)


def test_failures_and_what_is_tried_again():
    turns = {}

    def fail(key):
        turns[key] = turns.get(key, 0) + 1
        if turns[key] < 3:
            raise ValueError(key)
        return key

    def work(number, turn):
        bad = [delayed(fail, retries=2 - i % 2)((number, turn, i))
               for i in range(4)]
        return compute(*bad, on_error="collect", num_workers=2)

    for values in at_once(work):
        assert [bool(value) for value in values] == [True, False] * 2


@pytest.mark.parametrize("kind", [ProgressBar, Profiler])
def test_one_observer_of_many_computations(kind, capsys):
    with kind() as observer:
        assert len(at_once(lambda *_: compute(tree(32)))) == 32
    assert observer is not None


def test_callbacks_of_many_computations():
    seen = []
    calls = Callback(pretask=lambda key, *_: seen.append(key),
                     posttask=lambda key, *_: seen.append(key))

    def work(number, turn):
        with calls:
            return compute(tree(16), num_workers=3)

    assert set(at_once(work)) == {(136,)}
    assert len(seen) >= N_THREADS * ROUNDS * 31 * 2


def test_an_executor():
    with plait.ThreadPoolExecutor(3) as executor:
        def work(number, turn):
            future = executor.submit(operator.add, number, turn)
            return future.result() + sum(executor.map(abs, range(-4, 0)))

        assert len(at_once(work)) == N_THREADS * ROUNDS


def test_executors_come_and_go():
    def work(number, turn):
        with plait.ThreadPoolExecutor(2) as executor:
            return compute(tree(8), scheduler=executor)

    assert set(at_once(work)) == {(36,)}


def test_what_is_left_is_freed_on_any_thread():
    """Runs that nobody waits for go in the middle, and in cycles."""
    over = threading.Event()

    def collect():
        while not over.wait(0.001):
            gc.collect()

    collector = threading.Thread(target=collect)
    collector.start()
    try:
        def work(number, turn):
            runs = [plait.start(tree(8), delayed(spin)(0.001))
                    for _ in range(3)]
            runs[0].add_done_callback(lambda run, runs=runs: None)
            return compute(tree(16))

        assert set(at_once(work)) == {(136,)}
    finally:
        over.set()
        collector.join()


def test_signals_meanwhile():
    """Their handlers are called in the thread that waits, or on its behalf."""
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        threads = threading.Thread(
            target=at_once, args=[lambda *_: compute(tree(64))])
        threads.start()
        for _ in range(ROUNDS):
            assert compute(tree(64)) == (2080,)
            assert compute(tree(64), scheduler="sync") == (2080,)
        threads.join()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert calls
