# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks of computations in computations, and in the background."""

import contextvars
import queue
import threading

import pytest

from plait import delayed, start
from plait.callbacks import Callback
from watching import EVENTS, SCHEDULERS, Failing, add, fan, noting, refuse

# ---- computations in computations ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("where", ["pretask", "posttask"])
def test_a_callback_may_compute_though_there_is_one_worker(scheduler, where):
    made = []

    def more(*args):
        made.append(fan(10).compute(num_workers=1))

    with Callback(**{where: more}):
        assert add(1, 2).compute(scheduler=scheduler, num_workers=1) == 3
        assert start(add(1, 2), scheduler=scheduler,
                     num_workers=1).result() == [3]
    assert made == [55, 55]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_task_may_compute_with_callbacks_of_its_own(scheduler, workers):
    inner, outer = [], []

    def nested():
        with noting(inner):
            return fan(20).compute(num_workers=workers)

    with noting(outer):
        task = delayed(nested)(dask_key_name="outer")
        assert task.compute(scheduler=scheduler, num_workers=workers) == 210
    assert outer == [(name, key) for name, key in zip(
        EVENTS, [None, None, "outer", "outer", False])]
    names = [name for name, _ in inner]
    assert names.count("pretask") == names.count("posttask") == 21
    assert names[:2] == EVENTS[:2] and names[-1] == "finish"


def test_a_nested_callback_that_raises():
    def nested():
        with Callback(pretask=refuse):
            with pytest.raises(Failing):
                fan(20).compute(num_workers=4)
        return "well"

    notes = []
    with noting(notes):
        assert delayed(nested)().compute(num_workers=4) == "well"
    assert notes[-1] == ("finish", False)


# ---- in the background ----


def test_a_run_calls_back():
    notes = []
    with noting(notes):
        run = start(fan(20))
    assert run.wait()
    names = [name for name, _ in notes]
    assert names[:2] == EVENTS[:2]
    assert names.count("pretask") == names.count("posttask") == 21
    assert notes[-1] == ("finish", False)


def test_a_run_calls_in_the_context_of_who_started_it():
    user = contextvars.ContextVar("user", default="nobody")
    seen = set()
    with Callback(pretask=lambda *_: seen.add(user.get())):
        token = user.set("somebody")
        run = start(fan(20))
        user.reset(token)
    run.wait()
    assert seen == {"somebody"}


@pytest.mark.parametrize("where", ["pretask", "posttask"])
def test_what_a_callback_of_a_run_raises(where):
    ended = queue.SimpleQueue()
    note = Callback(finish=lambda *args: ended.put(args[2]))
    with note, Callback(**{where: refuse}):
        run = start(fan(20))
    with pytest.raises(Failing):
        run.result()
    assert isinstance(run.exception(), Failing)
    assert ended.get(timeout=60) is True


def test_a_posttask_that_raises_at_the_end_of_a_run():
    with Callback(posttask=refuse):
        task = add(1, 2)
        run = start(task)
    with pytest.raises(Failing):
        run.result(task)


@pytest.mark.parametrize("end", ["cancel", "drop"])
def test_finish_is_called_once_when_a_run_is_given_up(end):
    ended = threading.Event()
    begun, let_go = threading.Event(), threading.Event()
    notes = []

    def note(dsk, state, errored):
        notes.append(errored)
        ended.set()

    def wait():
        begun.set()
        let_go.wait()

    with Callback(finish=note):
        run = start(add(delayed(wait)(), 1))
    begun.wait()
    if end == "cancel":
        run.cancel()
    del run
    let_go.set()
    assert ended.wait(60)
    assert notes == [True]


def test_a_callback_that_is_gone_before_its_run_ends():
    let_go = threading.Event()
    notes = []
    with noting(notes):
        run = start(delayed(let_go.wait)())
        other = []
        with noting(other):
            fan(3).compute()
        assert other
    let_go.set()
    run.wait()
    assert not Callback.active
    assert notes[-1] == ("finish", False)


def test_tasks_of_a_run_don_t_call_what_the_run_calls():
    inner, outer = [], []

    def nested():
        with noting(inner):
            return fan(5).compute()

    with noting(outer):
        run = start(delayed(nested)(dask_key_name="outer"))
        run.wait()
    assert {key for name, key in outer if name == "pretask"} == {"outer"}
    assert len([name for name, _ in inner if name == "pretask"]) == 6
