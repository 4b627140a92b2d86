# SPDX-License-Identifier: BSD-3-Clause
"""Delayed as a collection of Dask: the protocol, and its graph."""

import dataclasses
import operator

import pytest

from containers import Box, Pair
from plait import collection, local, threaded
from plait.base import compute
from plait.delayed import Delayed, delayed

add = delayed(operator.add)


def evaluate(dsk, key):
    """What Dask's tuples mean, as its documentation has it."""

    def value(task):
        if type(task) is tuple and task and callable(task[0]):
            return task[0](*map(value, task[1:]))
        if isinstance(task, list):
            return [value(one) for one in task]
        try:
            return value(dsk[task]) if task in dsk else task
        except TypeError:
            return task

    return value(dsk[key])


# Delayeds of all kinds, and their values.
def kinds():
    one = delayed(1, name="one")
    text = delayed("a b")
    join = delayed(lambda *args, sep=" ": sep.join(map(str, args)))
    return [
        (one, 1),
        (delayed([1, 2]), [1, 2]),
        (delayed("one"), "one"),
        (delayed((abs, -1)), (abs, -1)),
        (add(one, 2), 3),
        (one + 2, 3),
        (2 - one, 1),
        (-one, -1),
        (text.split(), ["a", "b"]),
        (text.split(sep=" ")[1], "b"),
        (one.real, 1),
        (join(one, "one", sep="-"), "1-one"),
        (join("one", "two"), "one two"),
        (delayed([one, [one]]), [1, [1]]),
        (delayed((one, 2)), (1, 2)),
        (delayed({one, 2}), {1, 2}),
        (delayed({"a": one, one: "b"}), {"a": 1, 1: "b"}),
        (delayed(str)({"a": [one]}), "{'a': [1]}"),
        (delayed(str)(slice(one, 2)), "slice(1, 2, None)"),
        (delayed(tuple)(Pair(one, 2)), (1, 2)),
        (delayed(dataclasses.asdict)(Box(one)), {"held": 1}),
        (delayed(len)([(abs, -1), "one"]), 2),
        (delayed(operator.abs)(delayed(operator.sub)(1, 3)), 2),
        (delayed(lambda: abs)()(-1), 1),
    ]


@pytest.mark.parametrize("number", range(len(kinds())))
def test_the_graph_as_tuples(number, no_dask):
    task, value = kinds()[number]
    graph = dict(task.dask)
    assert task.key in graph
    assert evaluate(graph, task.key) == value


@pytest.mark.parametrize("number", range(len(kinds())))
def test_the_graph_for_dask_s_own_scheduler(number, dask):
    task, value = kinds()[number]
    assert dask.get(dict(task.dask), task.key) == value
    assert dask.compute(task, scheduler=dask.get) == (value,)


@pytest.mark.parametrize("number", range(len(kinds())))
def test_the_graph_for_our_own_scheduler(number):
    task, value = kinds()[number]
    assert threaded.get(dict(task.dask), task.key) == value
    assert local.get_sync(task.dask, [task.key]) == (value,)


def test_the_graph_has_all_keys_and_no_more():
    one = add(0, 1)
    both = add(one, one)
    assert set(both.dask) == {one.key, both.key}
    assert set(one.dask) == {one.key}


def test_the_protocol():
    task = add(1, 2, dask_key_name="total")
    assert task.__dask_keys__() == ["total"]
    assert task.__dask_layers__() == ("total",)
    assert task.__dask_tokenize__() == "total"
    assert set(task.__dask_graph__()) == {"total"}
    finalize, extra = task.__dask_postcompute__()
    assert finalize([3], *extra) == 3
    rebuild, state = task.__dask_postpersist__()
    again = rebuild({"total": 5}, *state)
    assert again.key == "total" and again.compute() == 5
    renamed = rebuild({"sum": 5}, *state, rename={"total": "sum"})
    assert renamed.key == "sum" and renamed.compute() == 5


def test_names_in_keys_that_are_tuples():
    task = add(1, 2, dask_key_name=("total", 0))
    rebuild, state = task.__dask_postpersist__()
    renamed = rebuild({("sum", 0): 5}, *state, rename={"total": "sum"})
    assert renamed.key == ("sum", 0) and renamed.compute() == 5


@dataclasses.dataclass
class Half:
    given: object
    computed: object = dataclasses.field(init=False, default=None)


def test_a_dataclass_that_can_t_be_made_again():
    half = Half(add(1, 2))
    half.computed = add(3, 4)
    with pytest.raises(ValueError, match="`init=False` are not supported"):
        delayed(half)


def test_its_scheduler_is_threads():
    get = add(1, 2).__dask_scheduler__
    assert get == threaded.get
    assert get == add(3, 4).__dask_scheduler__
    assert get != local.get_sync
    assert get({"x": 1, "y": (operator.add, "x", 1)}, "y") == 2


def test_its_scheduler_is_what_dask_has_for_threads(dask):
    get = add(1, 2).__dask_scheduler__
    assert get == dask.threaded.get and dask.threaded.get == get
    assert get != dask.get


def test_visualise_is_told_to_be_visualize():
    with pytest.warns(UserWarning, match="have no `visualise` method"):
        made = add(1, 2).visualise(filename="a.svg")
    assert isinstance(made, Delayed)


# ---- Delayed(key, graph) ----


@pytest.mark.parametrize("key", ["a", ("a-123", 0)])
def test_a_delayed_of_a_graph(key):
    graph = {key: "b", "b": (operator.add, "c", 1), "c": 1}
    made = Delayed(key, graph)
    assert made.key == key
    assert made.dask is graph
    assert made.compute() == 2
    assert add(made, 1).compute() == 3
    assert set(add(made, 1).dask) > set(graph)
    kept = made.persist()
    assert kept.key == key and dict(kept.dask) == {key: 2}


def test_a_delayed_of_a_graph_with_many_outputs():
    made = Delayed("a", {"a": (divmod, 7, 2)}, 2)
    quotient, remainder = made
    assert compute(quotient, remainder) == (3, 1)


def test_graphs_that_share_a_key_share_the_task():
    runs = []

    def note():
        runs.append(1)
        return 1

    one = Delayed("a", {"a": (operator.add, "s", 1), "s": (note,)})
    other = Delayed("b", {"b": (operator.add, "s", 2), "s": (note,)})
    assert compute(one, other) == (2, 3)
    assert runs == [1]


@pytest.mark.parametrize(
    "graph, error, message",
    [
        ({"b": 1}, KeyError, "a"),
        ({"a": "b", "b": "a"}, RuntimeError, "Cycle detected.*a"),
        ({"a": (abs, "a")}, RuntimeError, "Cycle detected.*a->a"),
    ],
)
def test_a_graph_that_is_wrong(graph, error, message, no_dask):
    with pytest.raises(error, match=message):
        Delayed("a", graph)


def test_a_graph_that_lacks_a_task(dask):
    spec = pytest.importorskip("dask._task_spec")
    task = spec.Task("a", abs, spec.TaskRef("b"))
    with pytest.raises(ValueError, match="Missing dependency b"):
        Delayed("a", {"a": task})


def test_a_task_of_a_graph_fails_with_its_own_traceback():
    def fail(x):
        raise OSError(x)

    for task in ((fail, "b"), (fail, 1)):
        made = Delayed("a", {"a": task, "b": 1})
        with pytest.raises(OSError, match="1") as raised:
            made.compute()
        frames = [one.name for one in raised.traceback]
        assert frames[1:] == ["fail"]


def test_arguments_of_tasks_are_what_they_are():
    there = iter([1, 2])
    graph = {
        "a": (lambda *args: args, (1, "c", None), [1, "b"], {"c": "c"}, there),
        "b": 2,
        "d": (lambda *args: args, (1, slice(1, "c")), "b", (abs, -1), ["b"]),
        "e": (list, there),
    }
    assert threaded.get(graph, ["a", "d", "e"]) == (
        ((1, "c", None), [1, 2], {"c": "c"}, there),
        ((1, slice(1, "c")), 2, 1, [2]),
        [1, 2],
    )


def test_a_deep_graph():
    graph = {("x", 0): 0}
    for number in range(1, 20_000):
        graph["x", number] = (operator.add, ("x", number - 1), 1)
    assert threaded.get(graph, ("x", 19_999)) == 19_999


def test_keys_in_lists():
    graph = {"a": 1, "b": (operator.add, "a", 1)}
    assert threaded.get(graph, ["a", ["b", ["a"]]]) == (1, (2, (1,)))
    assert local.get(graph, "b") == 2
    assert local.get(graph, []) == ()
    with pytest.raises(KeyError):
        local.get(graph, ["a", ["none"]])


def test_the_last_graph_is_not_made_again():
    task = add(add(1, 2), 3)
    assert task.dask is task.dask


def test_all_names_are_there():
    for name in collection.__all__:
        assert hasattr(collection, name), name
