# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks: when they are called, with what, and in which computations."""

import operator
import sys
import threading

import pytest

from plait import local, threaded
from plait.base import compute
from plait.callbacks import Callback, add_callbacks
from plait.delayed import delayed

SCHEDULERS = ["sync", "threads"]
add = delayed(operator.add)


@pytest.fixture(autouse=True)
def nothing_active():
    assert not Callback.active
    yield
    assert not Callback.active
    Callback.active.clear()


class Notes(Callback):
    """Notes what it is called for."""

    def __init__(self):
        super().__init__()
        self.notes = []

    def _start(self, dsk):
        self.notes.append(("start", set(dsk)))

    def _start_state(self, dsk, state):
        self.notes.append(("start_state", len(state["cache"])))

    def _pretask(self, key, dsk, state):
        assert key in dsk and key in state["running"]
        self.notes.append(("pretask", key))

    def _posttask(self, key, result, dsk, state, worker_id):
        assert key in state["finished"]
        self.notes.append(("posttask", key, result))

    def _finish(self, dsk, state, errored):
        self.notes.append(("finish", errored))


def chain():
    one = delayed(1, name="one")
    two = add(one, 1, dask_key_name="two")
    return add(two, one, dask_key_name="three")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_order_of_calls(scheduler):
    with Notes() as seen:
        assert chain().compute(scheduler=scheduler) == 3
    assert seen.notes == [
        ("start", {"one", "two", "three"}),
        ("start_state", 1),
        ("pretask", "two"),
        ("posttask", "two", 2),
        ("pretask", "three"),
        ("posttask", "three", 3),
        ("finish", False),
    ]


def test_functions_instead_of_a_subclass():
    keys = []
    with Callback(pretask=lambda key, dsk, state: keys.append(key)):
        chain().compute()
    assert keys == ["two", "three"]


def test_only_what_there_is_is_called():
    with Callback():
        assert chain().compute() == 3


def test_several_at_once():
    with Notes() as one, Notes() as other:
        chain().compute()
    assert one.notes == other.notes and one.notes


def test_registered_ones_are_called_until_they_are_not():
    seen = Notes()
    seen.register()
    try:
        chain().compute()
        first = len(seen.notes)
        chain().compute()
        assert len(seen.notes) == 2 * first
    finally:
        seen.unregister()
    chain().compute()
    assert len(seen.notes) == 2 * first


def test_callbacks_of_one_computation():
    seen = Notes()
    compute(chain(), callbacks=[seen])
    assert seen.notes[0][0] == "start"
    with pytest.raises(TypeError, match="Callbacks must be either"):
        compute(chain(), callbacks=[1])


def test_add_callbacks_takes_tuples():
    keys = []
    functions = (None, None, lambda key, *_: keys.append(key), None, None)
    with add_callbacks(functions):
        chain().compute()
    assert keys == ["two", "three"]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_finish_is_called_when_a_task_fails(scheduler):
    with Notes() as seen:
        with pytest.raises(ZeroDivisionError):
            delayed(operator.truediv)(1, 0).compute(scheduler=scheduler)
    assert seen.notes[-1] == ("finish", True)
    assert all(note[0] != "posttask" for note in seen.notes)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_finish_is_called_when_a_task_interrupts(scheduler):
    def interrupt():
        raise KeyboardInterrupt

    with Notes() as seen:
        with pytest.raises(KeyboardInterrupt):
            delayed(interrupt)().compute(scheduler=scheduler)
    assert seen.notes[-1] == ("finish", True)


def test_a_start_that_raises_finishes_those_before_it():
    ended = []

    def refuse(dsk):
        raise OSError("no")

    # a list: these are called in their order
    first = Callback(finish=lambda *args: ended.append(args[2]))
    with pytest.raises(OSError, match="no"):
        compute(chain(), callbacks=[first, Callback(start=refuse)])
    assert ended == [True]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("where", ["pretask", "posttask"])
def test_what_a_callback_raises_is_raised(scheduler, where):
    def refuse(*args):
        raise OSError("no")

    with Notes() as seen, Callback(**{where: refuse}):
        with pytest.raises(OSError, match="no"):
            chain().compute(scheduler=scheduler)
    assert seen.notes[-1] == ("finish", True)
    assert chain().compute(scheduler=scheduler) == 3


def test_the_state_follows_the_run():
    states = []

    def note(key, *rest):
        state = rest[-1] if len(rest) == 2 else rest[-2]
        states.append(
            {
                name: len(state[name])
                for name in ("waiting", "ready", "running", "finished")
            }
        )
        total = sum(states[-1].values())
        assert total == 2

    with Callback(pretask=note, posttask=note):
        chain().compute()
    assert states == [
        {"waiting": 1, "ready": 0, "running": 1, "finished": 0},
        {"waiting": 0, "ready": 1, "running": 0, "finished": 1},
        {"waiting": 0, "ready": 0, "running": 1, "finished": 1},
        {"waiting": 0, "ready": 0, "running": 0, "finished": 2},
    ]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_state_when_a_task_fails(scheduler):
    ends = []

    def end(dsk, state, errored):
        ends.append({name: set(state[name]) for name in state})

    bad = delayed(operator.truediv)(1, 0, dask_key_name="bad")
    after = add(bad, 1, dask_key_name="after")
    with Callback(finish=end):
        with pytest.raises(ZeroDivisionError):
            compute(after, chain(), scheduler=scheduler)
    (state,) = ends
    assert state["errored"] == {"bad", "after"}
    assert state["finished"] == {"two", "three"}
    assert not state["running"] and not state["ready"]
    assert not state["waiting"]


def test_the_state_says_what_is_needed_and_let_go_of():
    def end(dsk, state, errored):
        assert state["dependencies"]["three"] == {"one", "two"}
        assert state["dependents"]["one"] == {"two", "three"}
        assert state["released"] == {"one", "two"}
        assert state["cache"] == {"three": 3}
        assert not state["waiting_data"]["three"]

    with Callback(finish=end):
        chain().compute()


def test_nested_computations_call_none_but_their_own():
    inner = Notes()

    def nested(x):
        assert not Callback.active
        with inner:
            return chain().compute() + x

    with Notes() as outer:
        assert delayed(nested)(1, dask_key_name="outer").compute() == 4
    assert {note[1] for note in outer.notes if note[0] == "pretask"} == {
        "outer"
    }
    assert {note[1] for note in inner.notes if note[0] == "pretask"} == {
        "two",
        "three",
    }


def test_computations_in_several_threads_leave_what_was_registered():
    seen = Notes()
    seen.register()
    try:
        threads = [
            threading.Thread(target=lambda: chain().compute())
            for _ in range(8)
        ]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert Callback.active == {seen._callback}
    finally:
        seen.unregister()


@pytest.mark.parametrize("get", [local.get_sync, threaded.get])
def test_graphs_that_are_dicts(get):
    dsk = {"a": 1, "b": 2, "c": (operator.add, "a", "b")}
    with Notes() as seen:
        assert get(dsk, "c") == 3
    assert seen.notes == [
        ("start", {"a", "b", "c"}),
        ("start_state", 2),
        ("pretask", "c"),
        ("posttask", "c", 3),
        ("finish", False),
    ]


def test_dask_s_own_callbacks_are_called_too():
    theirs = pytest.importorskip("dask.callbacks").Callback
    keys = []
    with theirs(pretask=lambda key, dsk, state: keys.append(key)):
        chain().compute()
    assert keys == ["two", "three"]
    assert not theirs.active
    assert "dask.callbacks" in sys.modules
