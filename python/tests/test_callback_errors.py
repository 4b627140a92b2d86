# SPDX-License-Identifier: BSD-3-Clause
"""What callbacks raise."""

import operator
import os
import signal
import subprocess
import sys
import threading

import pytest

from plait import _core, compute, delayed
from plait.callbacks import Callback
from watching import SCHEDULERS, Failing, add, fan, noting, refuse


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_task_begins_after_a_pretask_that_raises(scheduler):
    ran, notes = [], []
    tasks = [delayed(ran.append)(i) for i in range(50)]
    with noting(notes), Callback(pretask=refuse):
        with pytest.raises(Failing):
            compute(*tasks, scheduler=scheduler, num_workers=1)
    assert ran == []
    assert notes[-1] == ("finish", True)
    assert fan(3).compute(scheduler=scheduler) == 6


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_posttask_that_raises_at_the_very_end(scheduler):
    with Callback(posttask=refuse):
        with pytest.raises(Failing):
            add(1, 2).compute(scheduler=scheduler)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_callbacks_may_raise_what_is_no_exception(scheduler):
    def leave(*args):
        raise SystemExit(3)

    with Callback(pretask=leave):
        with pytest.raises(SystemExit):
            add(1, 2).compute(scheduler=scheduler)


def test_a_start_state_that_raises_finishes_what_has_started():
    ended = []
    first = Callback(finish=lambda *args: ended.append(args[2]))
    with pytest.raises(Failing):
        compute(fan(3), callbacks=[first, Callback(start_state=refuse)])
    assert ended == [True]


def test_a_finish_that_raises_is_raised_and_the_others_are_called():
    ended = []
    callbacks = [
        Callback(finish=refuse),
        Callback(finish=lambda *args: ended.append(args[2])),
    ]
    with pytest.raises(Failing):
        compute(fan(3), callbacks=callbacks)
    assert ended == [False]
    with pytest.raises(Failing) as raised:
        compute(delayed(operator.truediv)(1, 0), callbacks=callbacks)
    assert isinstance(raised.value.__context__, ZeroDivisionError)
    assert ended == [False, True]


def test_ctrl_c_finishes():
    notes = []
    let_go = threading.Event()

    def interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        let_go.wait()

    try:
        with noting(notes):
            with pytest.raises(KeyboardInterrupt):
                compute(*(delayed(interrupt)() for _ in range(3)),
                        num_workers=2)
    finally:
        let_go.set()
    assert notes[-1] == ("finish", True)
    assert "posttask" not in [name for name, _ in notes]
    assert fan(3).compute() == 6


@pytest.mark.parametrize(
    "bad", [1, (1, 2), (None,) * 4, (None,) * 7, (1, None, None, None, None)]
)
def test_what_is_no_callback(bad):
    with pytest.raises(TypeError, match="must be a tuple of five"):
        _core.compute([add(1, 2)], callbacks=[bad])


PROFILED = """
import sys
from plait import compute, delayed
from plait.callbacks import Callback
sys.setprofile(lambda *event: None)
with Callback(finish=lambda dsk, state, errored: print(errored)):
    for _ in range(3):
        try:
            compute(delayed(lambda: 1 / 0)(), scheduler="sync")
        except ZeroDivisionError:
            pass
"""


def test_a_failure_under_a_profiler():
    # Of its own: a loop in the interpreter would not see a time-out.
    done = subprocess.run([sys.executable, "-c", PROFILED], timeout=60,
                          stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout == "True\n" * 3
