# SPDX-License-Identifier: BSD-3-Clause
"""plait.start, and the Run that it returns."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
import weakref

import pytest

import plait
from plait import delayed


@pytest.fixture
def gate():
    made = threading.Event()
    yield made
    made.set()


def test_a_block_waits(gate):
    with plait.start(delayed(gate.wait)(60)) as run:
        assert not run.done()
        threading.Timer(0.01, gate.set).start()
    assert run.done()
    assert run.result() == [True]


def test_a_block_that_raises_cancels():
    begun, after = threading.Event(), []

    def loop():
        begun.set()
        while True:
            time.sleep(0.001)

    with pytest.raises(KeyError):
        with plait.start(delayed(after.append)(delayed(loop)())) as run:
            begun.wait(30)
            raise KeyError
    assert run.done()
    assert after == []


def test_a_block_raises_nothing_of_its_tasks():
    with plait.start(delayed(divmod)(1, 0)) as run:
        pass
    with pytest.raises(ZeroDivisionError):
        run.result()


def test_a_run_of_nothing_is_done():
    run = plait.start()
    assert run.done() and run.wait() and run.result() == []


def test_waiting_for_a_while(gate):
    task = delayed(gate.wait)(60)
    run = plait.start(task)
    assert not run.wait(0.01)
    for timeout in (0, -1, 0.01):
        with pytest.raises(TimeoutError):
            run.result(timeout=timeout)
    gate.set()
    assert run.result(task, timeout=float("inf")) is True
    assert run.result(timeout=1e300) == [True]


def test_several_threads_may_wait(gate):
    run = plait.start(delayed(gate.wait)(60))
    found = []
    threads = [threading.Thread(target=lambda: found.append(run.result(None)))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(30)
    assert found == [[True]] * 8


def test_a_callback_that_raises_is_told_and_forgotten(monkeypatch, gate):
    told, called = [], threading.Event()
    monkeypatch.setattr(sys, "unraisablehook",
                        lambda hook: told.append(hook.exc_type))
    run = plait.start(delayed(gate.wait)(60))
    run.add_done_callback(lambda _: 1 / 0)
    run.add_done_callback(lambda _: called.set())
    gate.set()
    assert called.wait(30)
    assert run.result() == [True]
    assert told == [ZeroDivisionError]


def test_the_same_exception_each_time():
    run = plait.start(delayed(divmod)(1, 0))
    with pytest.raises(ZeroDivisionError) as raised:
        run.result()
    assert run.exception() is raised.value
    assert [one.exception for one in run.failures] == [raised.value]


def test_a_run_that_nobody_has_is_cancelled():
    begun, go_on, after = threading.Event(), threading.Event(), []

    def wait():
        begun.set()
        go_on.wait(60)

    run = plait.start(delayed(after.append)(delayed(wait)()))
    begun.wait(30)
    gone = weakref.ref(run)
    del run
    gc.collect()
    assert gone() is None
    go_on.set()
    assert plait.compute(*[delayed(abs)(-n) for n in range(9)])
    assert after == []


@pytest.mark.parametrize("end", ["pass", "raise SystemExit", "del run"])
def test_the_interpreter_ends_while_a_run_goes_on(end):
    done = subprocess.run([sys.executable, "-c", f"""\
import time, plait
def loop():
    while True:
        time.sleep(0.001)
tasks = [plait.delayed(loop)() for _ in range(100)]
run = plait.start(*tasks)
run.add_done_callback(print)
time.sleep(0.05)
{end}
"""], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
