# SPDX-License-Identifier: BSD-3-Clause
"""Delayed as a collection of Dask, with Dask and without."""

import dataclasses
import operator
import subprocess
import sys
import textwrap
from typing import NamedTuple

import pytest

from plait import collection, local, threaded
from plait.base import annotate, compute, optimize, persist
from plait.delayed import Delayed, delayed

add = delayed(operator.add)


class Pair(NamedTuple):
    left: object
    right: object


@dataclasses.dataclass
class Box:
    held: object


@pytest.fixture
def no_dask(monkeypatch):
    """As if nobody had imported Dask."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("dask", "distributed"):
            monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def dask():
    # Not "dask" itself: a folder of that name lies beside this file.
    pytest.importorskip("dask.base")
    return sys.modules["dask"]


def python(code):
    """Runs a program of its own; what it prints."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


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


# ---- layers ----


def test_layers(dask):
    high = dask.highlevelgraph.HighLevelGraph
    one = delayed(1)
    two = add(one, one)
    assert type(one.dask) is type(two.dask) is high
    assert one.dask.layers.keys() == {one.key}
    assert two.dask.layers.keys() == {one.key, two.key}
    assert two.dask.dependencies == {one.key: set(), two.key: {one.key}}
    two.dask.validate()


def test_a_graph_of_layers_stays_what_it_is(dask):
    high = dask.highlevelgraph.HighLevelGraph
    one = delayed(1)
    graph = high.from_collections("foo", {"alias": one.key}, [one])
    with pytest.raises(ValueError, match="not in the HighLevelGraph's layers"):
        Delayed("alias", graph)
    made = Delayed("alias", graph, layer="foo")
    assert made.dask is graph
    assert made.__dask_layers__() == ("foo",)
    after = add(made, 1)
    assert after.dask.dependencies[after.key] == {"foo"}
    after.dask.validate()
    assert after.compute() == 2


def test_annotations_are_in_the_layers(dask):
    with annotate(foo="bar", retries=2):
        inside = add(1, 2)
    outside = add(inside, 1)
    layers = outside.dask.layers
    assert layers[inside.key].annotations == {"foo": "bar", "retries": 2}
    assert not layers[outside.key].annotations
    with annotate(foo="later"):
        later = add(outside, 1)
        assert not later.dask.layers[outside.key].annotations


def test_options_are_in_the_layers(dask):
    task = delayed(abs, retries=4)(-1)
    assert task.dask.layers[task.key].annotations == {"retries": 4}


def test_dask_s_annotations_count(dask):
    # Dask had them in its configuration once, where we don't look.
    if not hasattr(sys.modules["dask.base"], "_annotations"):
        return
    runs = []

    def twice():
        runs.append(1)
        if len(runs) < 3:
            raise OSError("not yet")
        return "third time"

    with dask.annotate(retries=2):
        task = delayed(twice)()
    assert task.compute() == "third time"


# ---- beside Dask's collections ----


@pytest.mark.parametrize(
    "first, second", [("plait", "dask"), ("dask", "plait")]
)
def test_dask_s_annotations_count_at_once(first, second, dask):
    if not hasattr(sys.modules["dask.base"], "_annotations"):
        return
    code = f"""
        import {first}, {second}
        from plait import delayed
        @delayed
        def task():
            runs.append(1)
            if len(runs) < 3:
                raise OSError
            return "third time"
        runs = []
        with dask.annotate(retries=2):
            made = task()
        print(made.compute())
    """
    assert python(code) == "third time"


def test_dask_takes_it_for_its_own(dask):
    task = add(1, 2)
    module = sys.modules["dask.delayed"]
    assert isinstance(task, module.Delayed)
    assert isinstance(task, Delayed)
    assert dask.is_dask_collection(task)
    assert dask.compute(task, [task]) == (3, [3])
    assert dask.persist(task)[0].compute() == 3
    assert dask.optimize(task)[0].compute() == 3
    assert dask.delayed(task) is task
    assert dask.delayed(operator.add)(task, 1).compute() == 4


def test_we_take_dask_s_own(dask):
    theirs = sys.modules["dask.delayed"].delayed(operator.add)(1, 2)
    assert add(theirs, 1).compute() == 4
    assert compute(theirs, [theirs], add(theirs, 1)) == (3, [3], 4)
    assert theirs.key in add(theirs, 1).dask


def test_arrays(dask):
    da = pytest.importorskip("dask.array")
    array = da.arange(10, chunks=3)
    assert delayed(sum)(array).compute() == 45
    assert delayed(len)([array, array]).compute() == 2
    value, total = compute(array + 1, delayed(sum)(array))
    assert value.tolist() == list(range(1, 11)) and total == 45
    task = delayed(sum)([array.sum(), 1])
    assert task.compute() == 46
    task.dask.validate()
    assert set(array.dask) <= set(task.dask)


def test_arrays_stay_arrays_when_they_are_kept(dask):
    da = pytest.importorskip("dask.array")
    array = da.arange(10, chunks=3) + 1
    for keep in (persist, optimize):
        kept, task = keep(array, add(1, 2))
        assert type(kept) is type(array)
        assert kept.compute().tolist() == list(range(1, 11))
        assert task.compute() == 3
    (nested,) = persist([array], scheduler="sync")
    assert nested[0].npartitions == array.npartitions


def test_an_array_of_delayeds(dask):
    da = pytest.importorskip("dask.array")
    np = pytest.importorskip("numpy")
    blocks = [
        da.from_delayed(delayed(np.full)(3, n), shape=(3,), dtype=int)
        for n in range(4)
    ]
    assert da.concatenate(blocks).sum().compute() == 18
    for block in da.arange(6, chunks=3).to_delayed():
        assert delayed(sum)(block).compute() in (3, 12)


def test_bags(dask):
    db = pytest.importorskip("dask.bag")
    bag = db.from_sequence(range(6), npartitions=3).map(abs)
    assert delayed(sum)(bag).compute() == 15
    made = db.from_delayed([delayed(list)((1, 2)), delayed(list)((3,))])
    assert made.sum().compute(scheduler="sync") == 6


def test_dataframes(dask):
    pd = pytest.importorskip("pandas")
    dd = pytest.importorskip("dask.dataframe")
    frame = pd.DataFrame({"a": [1, 2, 3, 4]})
    there = dd.from_pandas(frame, npartitions=2)
    assert delayed(len)(there).compute() == 4
    assert compute(there.a.sum(), add(1, 2)) == (10, 3)
    parts = [delayed(frame.head)(2), delayed(frame.tail)(2)]
    assert len(dd.from_delayed(parts, meta=frame.head(0)).compute()) == 4


def test_a_client_of_distributed():
    code = """
        import operator
        from distributed import Client
        from plait import compute, delayed
        add = delayed(operator.add)
        with Client(processes=False, dashboard_address=None) as client:
            task = add(add(1, 2), 3)
            print(task.compute(), compute([task, 4]))
            print(task.compute(scheduler=client))
            print(client.compute(task).result())
            kept = task.persist()
            print(kept.key == task.key, type(kept.dask[kept.key]).__name__)
            print(kept.compute(), add(kept, 1).compute())
            print(add(kept, 1).compute(scheduler="threads"))
    """
    pytest.importorskip("distributed")
    assert python(code).split("\n") == [
        "6 ([6, 4],)",
        "6",
        "6",
        "True Future",
        "6 7",
        "7",
    ]


@pytest.mark.parametrize(
    "first, second", [("plait", "dask"), ("dask", "plait")]
)
def test_both_orders_of_import(first, second):
    pytest.importorskip("dask.base")
    code = f"""
        import {first}, {second}
        import dask.delayed, sys, operator
        from plait import delayed, compute
        module = sys.modules["dask.delayed"]
        mine = delayed(operator.add)(1, 2)
        theirs = module.delayed(operator.add)(mine, 10)
        assert isinstance(mine, module.Delayed)
        print(dask.compute(mine, theirs), compute(mine, theirs))
    """
    assert python(code) == "(3, 13) (3, 13)"


def test_dask_is_never_imported_by_us():
    code = """
        import sys, operator, tempfile, warnings
        import plait
        from plait import delayed, compute, persist, optimize
        from plait.diagnostics import Profiler, ProgressBar
        task = delayed(operator.add, pure=True)(1, 2)
        with Profiler(), ProgressBar(minimum=60):
            assert compute(task, [task]) == (3, [3])
        assert persist(task)[0].compute() == 3
        assert optimize(task)[0].compute() == 3
        assert plait.get(task.dask, task.key) == 3
        task.visualize(format="text")
        for scheduler in ("distributed", "nonsense", "processes"):
            try:
                task.compute(scheduler=scheduler)
            except (RuntimeError, ValueError, NotImplementedError):
                pass
        loaded = {name.partition(".")[0] for name in sys.modules}
        print(sorted(loaded & {"dask", "distributed", "numpy", "pandas"}))
    """
    assert python(code) == "[]"


def test_the_last_graph_is_not_made_again():
    task = add(add(1, 2), 3)
    assert task.dask is task.dask


def test_all_names_are_there():
    for name in collection.__all__:
        assert hasattr(collection, name), name
