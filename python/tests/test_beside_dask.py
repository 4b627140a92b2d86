# SPDX-License-Identifier: BSD-3-Clause
"""Delayed beside Dask's own collections: layers, annotations, schedulers and
both orders of import."""

import operator
import subprocess
import sys
import textwrap

import pytest

from plait.base import annotate, compute, optimize, persist
from plait.delayed import Delayed, delayed

add = delayed(operator.add)


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


# ---- collections of both kinds ----


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
