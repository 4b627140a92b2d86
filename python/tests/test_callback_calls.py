# SPDX-License-Identifier: BSD-3-Clause
"""In which thread callbacks are called, when, and how often."""

import gc
import operator
import sqlite3
import threading
import time
import weakref

import pytest

from plait import compute, delayed, start
from plait.callbacks import Callback
from watching import EVENTS, SCHEDULERS, Failing, add, fan, noting, refuse


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_thread_that_computes_calls(scheduler):
    threads = set()
    note = {name: lambda *_: threads.add(threading.get_ident())
            for name in EVENTS}
    with Callback(**note):
        assert fan(50).compute(scheduler=scheduler, num_workers=4) == 1275
    assert threads == {threading.get_ident()}


def test_a_callback_may_use_what_belongs_to_its_thread():
    log = sqlite3.connect(":memory:")
    log.execute("create table log (key text)")

    def note(key, *_):
        log.execute("insert into log values (?)", (key,))

    with Callback(posttask=note):
        compute(add(1, 2, dask_key_name="one"), scheduler="threads")
    assert log.execute("select key from log").fetchall() == [("one",)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_task_is_between_its_callbacks(scheduler):
    order = []

    def work(name, *inputs):
        order.append(("run", name))
        return name

    task = delayed(work)
    parts = [task(f"part-{i}", dask_key_name=f"part-{i}") for i in range(20)]
    whole = task("whole", *parts, dask_key_name="whole")
    with noting(order):
        whole.compute(scheduler=scheduler, num_workers=4)
    place = {event: order.index(event) for event in order}
    for key in [*(part.key for part in parts), "whole"]:
        assert place["pretask", key] < place["run", key]
        assert place["run", key] < place["posttask", key]
        assert place["posttask", key] <= place["posttask", "whole"]
    assert all(place["posttask", part.key] < place["pretask", "whole"]
               for part in parts)


@pytest.mark.parametrize("background", [False, True])
def test_one_callback_at_a_time(background):
    inside = []

    def enter(*args):
        inside.append(1)
        assert len(inside) == 1
        for _ in range(1000):
            pass
        inside.pop()

    with Callback(pretask=enter, posttask=enter):
        if background:
            assert start(fan(100), num_workers=4).result() == [5050]
        else:
            assert fan(100).compute(num_workers=4) == 5050


def test_tasks_run_side_by_side_while_callbacks_are_called():
    both = threading.Barrier(2, timeout=60)
    meet = delayed(lambda i: both.wait() and i)
    with noting([]):
        compute(meet(1), meet(2), num_workers=2)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_workers_have_numbers(scheduler):
    workers = set()
    with Callback(posttask=lambda *args: workers.add(args[-1])):
        fan(50).compute(scheduler=scheduler, num_workers=3)
    assert workers
    assert workers <= ({0} if scheduler == "sync" else {0, 1, 2})


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_values_alone_start_and_finish(scheduler):
    notes = []
    with noting(notes):
        assert compute(delayed(1), scheduler=scheduler) == (1,)
    assert [name for name, _ in notes] == ["start", "start_state", "finish"]


def test_equal_pure_tasks_are_called_for_once():
    notes = []
    inc = delayed(operator.neg, pure=True)
    with noting(notes):
        assert compute(inc(1), inc(1), inc(1)) == (-1, -1, -1)
    assert [name for name, _ in notes].count("pretask") == 1


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_task_that_is_tried_again_begins_once(scheduler):
    tries, notes = [], []

    @delayed(retries=2)
    def third_time():
        tries.append(1)
        if len(tries) < 3:
            raise Failing
        return "well"

    with noting(notes):
        assert third_time().compute(scheduler=scheduler) == "well"
    assert len(tries) == 3
    assert [name for name, _ in notes] == EVENTS


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_failure_that_is_collected_is_no_error(scheduler):
    notes = []
    bad = delayed(refuse)(dask_key_name="bad")
    with noting(notes):
        compute(bad, fan(3), on_error="collect", scheduler=scheduler)
    assert ("finish", False) in notes
    assert ("pretask", "bad") in notes and ("posttask", "bad") not in notes


def test_the_first_failure_ends_a_run_that_is_to_stop():
    notes = []
    let_go = threading.Event()
    slow = delayed(let_go.wait)(dask_key_name="slow")
    with noting(notes):
        with pytest.raises(Failing):
            compute(slow, delayed(refuse)(), on_error="stop", num_workers=2)
    let_go.set()
    assert notes[-1] == ("finish", True)


def test_nothing_is_kept():
    class Value:
        pass

    def note(key, result, dsk, state, worker):
        if key != "last":
            seen.append(weakref.ref(result))

    seen = []
    callback = Callback(posttask=note)
    with callback:
        delayed(id)(delayed(Value)(), dask_key_name="last").compute()
    dead = weakref.ref(callback)
    del callback
    gc.collect()
    assert seen[0]() is None and dead() is None


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_task_s_time_is_up_before_its_function_begins(scheduler):
    def spin():
        end = time.monotonic() + 20
        while time.monotonic() < end:
            pass

    with Callback(pretask=lambda *_: time.sleep(0.1)):
        failure = delayed(spin, timeout=0.05)().compute(
            scheduler=scheduler, on_error="collect")
    assert isinstance(failure.exception, TimeoutError)
