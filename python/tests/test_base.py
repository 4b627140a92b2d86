# SPDX-License-Identifier: BSD-3-Clause
"""compute, persist, optimize, start, annotate: what is said and what comes."""

import operator
import threading
import warnings
from collections import OrderedDict

import pytest

from containers import Box, Pair
from plait import base, config
from plait.base import (
    annotate,
    compute,
    get_annotations,
    is_dask_collection,
    optimize,
    persist,
    start,
)
from plait.delayed import Delayed, delayed

add = delayed(operator.add)


class Calls:
    """Counts how often its function is called."""

    def __init__(self, function):
        self.function = function
        self.count = 0
        self.lock = threading.Lock()
        self.__name__ = function.__name__

    def __call__(self, *args):
        with self.lock:
            self.count += 1
        return self.function(*args)


# ---- compute ----


def test_a_value_for_each_argument():
    one, two = add(0, 1), add(1, 1)
    assert compute(one, two) == (1, 2)
    assert compute(one) == (1,)
    assert compute() == ()
    assert compute(one, one) == (1, 1)


def test_what_is_no_delayed_comes_back():
    thing = object()
    assert compute(1, "a", thing) == (1, "a", thing)
    assert compute(thing, add(1, 2)) == (thing, 3)


def test_containers_are_looked_into():
    one = add(0, 1)
    nested = {"a": [one, (one, {one})], one: Pair(one, 2), "b": Box(one)}
    assert compute(nested, [one]) == (
        {"a": [1, (1, {1})], 1: Pair(1, 2), "b": Box(1)},
        [1],
    )


def test_iterators_become_lists():
    one, two = add(0, 1), add(1, 1)
    assert compute(iter([one, two]), (x for x in (two, one))) == (
        [1, 2],
        [2, 1],
    )


def test_an_ordered_dict_stays_one():
    (made,) = compute(OrderedDict(b=add(0, 1), a=2))
    assert type(made) is OrderedDict
    assert list(made.items()) == [("b", 1), ("a", 2)]


def test_containers_are_left_alone_when_asked():
    one = add(0, 1)
    inside, value = compute([one], one, traverse=False)
    assert inside[0] is one and value == 1
    inside, thing = compute([one], 5, traverse=False)
    assert inside[0] is one and thing == 5


def test_what_several_need_runs_once():
    calls = Calls(abs)
    shared = delayed(calls)(-1)
    assert compute(add(shared, 1), [add(shared, shared)]) == (2, [2])
    assert calls.count == 1


def test_equal_pure_calls_run_once():
    calls = Calls(abs)
    pure = delayed(calls, pure=True)
    one, other = pure(-1), pure(-1)
    assert one.key == other.key
    assert compute(one, other) == (1, 1)
    assert calls.count == 1


def test_compute_of_one():
    assert add(1, 2).compute() == 3
    assert add(1, 2).compute(scheduler="sync") == 3


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_what_a_task_raises_is_raised(scheduler):
    def fail():
        raise KeyError("nothing there")

    with pytest.raises(KeyError, match="nothing there"):
        compute(delayed(fail)(), scheduler=scheduler)


# ---- arguments ----


def test_unknown_arguments_pass():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert add(1, 2).compute(bogus_keyword=10) == 3
        assert add(1, 2).compute(workers=["a"], chunksize=1, priority=2) == 3


@pytest.mark.parametrize(
    "word, meant",
    [
        ("sheduler", "scheduler"),
        ("num_worker", "num_workers"),
        ("on_errors", "on_error"),
        ("retry", "retries"),
        ("runtimeout", "run_timeout"),
    ],
)
def test_a_misspelt_argument_is_told(word, meant):
    with pytest.warns(UserWarning, match=f"{word}.*mean '{meant}'") as told:
        assert add(1, 2).compute(**{word: None}) == 3
    assert len(told) == 1
    assert told[0].filename == __file__


def test_the_argument_get_is_gone():
    with pytest.raises(TypeError, match="scheduler="):
        add(1, 2).compute(get=lambda dsk, keys: None)


@pytest.mark.parametrize("number", [0, -1])
def test_too_few_workers(number):
    with pytest.raises(ValueError, match="num_workers"):
        add(1, 2).compute(num_workers=number)


def test_a_wrong_on_error_is_told():
    with pytest.raises(ValueError, match="did you mean 'collect'"):
        add(1, 2).compute(on_error="colect")
    with config.set(on_error="explode"):
        with pytest.raises(ValueError, match="explode"):
            add(1, 2).compute()


def test_positional_arguments_of_the_method_are_refused():
    with pytest.raises(TypeError):
        add(1, 2).compute("threads")


def test_settings_come_from_the_configuration(monkeypatch):
    fails = []

    def twice():
        fails.append(1)
        if len(fails) < 3:
            raise OSError("not yet")
        return "third time"

    with config.set(retries=2):
        assert delayed(twice)().compute() == "third time"
    fails.clear()
    monkeypatch.setenv("PLAIT_RETRIES", "2")
    assert delayed(twice)().compute() == "third time"
    fails.clear()
    with pytest.raises(OSError, match="not yet"):
        delayed(twice)().compute(retries=0)


def test_on_error_comes_from_the_configuration():
    bad = delayed(operator.truediv)(1, 0)
    with config.set(on_error="collect"):
        failure, good = compute(bad, add(1, 2))
    assert not failure and failure.key == bad.key
    assert isinstance(failure.exception, ZeroDivisionError)
    assert good == 3


def test_one_worker_runs_one_task_at_a_time():
    running, most, lock = [], [], threading.Lock()

    def task(number):
        with lock:
            running.append(number)
            most.append(len(running))
        with lock:
            running.remove(number)

    compute(*[delayed(task)(n) for n in range(20)], num_workers=1)
    assert max(most) == 1


# ---- persist and optimize ----


def test_persist_keeps_keys_and_values():
    calls = Calls(abs)
    task = delayed(calls)(-3)
    (kept,) = persist(task)
    assert isinstance(kept, Delayed)
    assert kept.key == task.key
    assert len(kept.dask) == 1
    assert kept.compute() == kept.compute() == 3
    assert add(kept, 1).compute() == 4
    assert calls.count == 1


def test_persist_of_one():
    assert add(1, 2).persist(scheduler="sync").compute() == 3
    assert delayed(1).persist().compute() == 1
    assert delayed("a b").split().persist()[0].compute() == "a"


@pytest.mark.parametrize(
    "value", [(abs, -1), [abs, -1], "text", {"a": 1}, None, abs]
)
def test_persist_takes_a_value_for_a_value(value):
    kept = delayed(lambda: value)().persist()
    assert kept.compute() == value


def test_persist_in_containers():
    one = add(0, 1)
    nested, five = persist({"a": [one]}, 5)
    assert isinstance(nested["a"][0], Delayed) and five == 5
    assert compute(nested) == ({"a": [1]},)
    assert persist(1, 2) == (1, 2)
    inside, value = persist([one], one, traverse=False)
    assert inside[0] is one and value.compute() == 1


def test_persist_keeps_how_many_outputs_there_are():
    pair = delayed(divmod, nout=2)(7, 2).persist()
    quotient, remainder = pair
    assert compute(quotient, remainder) == (3, 1)


def test_optimize_gives_one_graph():
    one = add(0, 1)
    two = add(one, 1)
    a, b, constant = optimize(one, two, 5)
    assert constant == 5
    assert dict(a.dask) == dict(b.dask)
    assert (a.key, b.key) == (one.key, two.key)
    assert compute(a, b) == (1, 2)
    assert optimize(1, 2) == (1, 2)


# ---- start ----


def test_start_runs_in_the_background():
    begun, go_on = threading.Event(), threading.Event()

    def wait():
        begun.set()
        assert go_on.wait(60)
        return "waited"

    task, other = delayed(wait)(), add(1, 2)
    run = start(task, other, num_workers=2)
    assert begun.wait(60)
    assert not run.done()
    go_on.set()
    assert run.wait(60)
    assert run.result(task) == "waited" and run.result(other) == 3
    assert run.state(task) == "done"


def test_start_takes_delayeds_only():
    with pytest.raises(TypeError, match="list"):
        start([add(1, 2)])


def test_start_says_when_a_scheduler_has_no_background():
    with pytest.raises(ValueError, match="start"):
        start(add(1, 2), scheduler=lambda dsk, keys: [3])


# ---- annotate ----


def test_retries_by_annotation():
    fails = []

    def twice():
        fails.append(1)
        if len(fails) < 3:
            raise OSError("not yet")
        return "third time"

    with annotate(retries=2):
        task = delayed(twice)()
    assert task.compute() == "third time"


def test_priority_by_annotation():
    order = []

    def note(name):
        order.append(name)

    tasks = [delayed(note)(name) for name in "abc"]
    with annotate(priority=10):
        tasks.append(delayed(note)("first"))
    compute(*tasks, num_workers=1)
    assert order[0] == "first" and sorted(order[1:]) == ["a", "b", "c"]


def test_annotations_nest():
    assert get_annotations() == {}
    with annotate(a=1, b=1):
        with annotate(b=2):
            assert get_annotations() == {"a": 1, "b": 2}
        assert get_annotations() == {"a": 1, "b": 1}
    assert get_annotations() == {}


def test_annotations_end_with_the_block_although_it_raises():
    with pytest.raises(KeyError):
        with annotate(a=1):
            raise KeyError
    assert get_annotations() == {}


@pytest.mark.parametrize(
    "annotation, message",
    [
        ({"workers": 1}, "'workers' annotation must be a sequence of str"),
        ({"priority": "a"}, "'priority' annotation must be a Number"),
        ({"retries": "a"}, "'retries' annotation must be a Number"),
        ({"resources": 1}, "'resources' annotation must be a dict"),
        (
            {"allow_other_workers": 1},
            "'allow_other_workers' annotations must be a bool",
        ),
    ],
)
def test_a_wrong_annotation(annotation, message):
    with pytest.raises(TypeError, match=message):
        with annotate(**annotation):
            pass


def test_one_worker_s_name_is_a_list_of_one():
    with annotate(workers="a"):
        assert get_annotations() == {"workers": ["a"]}
    with annotate(workers=("a", "b")):
        assert get_annotations() == {"workers": ["a", "b"]}


# ---- collections ----


def test_what_is_a_collection():
    class Other:
        def __init__(self, graph):
            self.graph = graph

        def __dask_graph__(self):
            return self.graph

    assert is_dask_collection(add(1, 2))
    assert is_dask_collection(Other({"a": 1}))
    assert not is_dask_collection(Other(None))
    assert not is_dask_collection(Other)
    assert not is_dask_collection(Delayed)
    assert not is_dask_collection(1)


def test_all_names_are_there():
    for name in base.__all__:
        assert hasattr(base, name), name
