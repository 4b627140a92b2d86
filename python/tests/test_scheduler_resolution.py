# SPDX-License-Identifier: BSD-3-Clause
"""Which scheduler runs a computation, of all that can be said and set."""

import concurrent.futures
import importlib
import multiprocessing.pool
import operator
import os
import subprocess
import sys
import threading
import types

import pytest

import plait
from plait import _core, config, local, threaded
from plait import multiprocessing as processes
from plait.base import compute, get_scheduler, named_schedulers
from plait.delayed import delayed

add = delayed(operator.add)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for name in list(config.config):
        monkeypatch.delitem(config.config, name)
    monkeypatch.delenv("PLAIT_SCHEDULER", raising=False)
    monkeypatch.delenv("DASK_SCHEDULER", raising=False)
    for name in ("distributed", "dask.config"):
        monkeypatch.setitem(sys.modules, name, None)


class MyClient:
    """What a client of distributed is to us."""

    asynchronous = False

    def __init__(self):
        self.got = []

    def get(self, dsk, keys, **kwargs):
        self.got.append(kwargs)
        return local.get_sync(dsk, keys)


def mine(dsk, keys, **kwargs):
    return ["mine"] * len(keys)


@pytest.mark.parametrize(
    "name, get",
    [
        ("sync", local.get_sync),
        ("synchronous", local.get_sync),
        ("single-threaded", local.get_sync),
        ("threads", threaded.get),
        ("threading", threaded.get),
        ("processes", processes.get),
        ("multiprocessing", processes.get),
    ],
)
def test_names(name, get):
    assert get_scheduler(scheduler=name) is get
    assert get_scheduler(scheduler=name.upper()) is get
    with config.set(scheduler=name):
        assert get_scheduler() is get


def test_nothing_said():
    assert get_scheduler() is None
    assert add(1, 2).compute() == 3


def test_the_order_of_what_is_said(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER", "sync")
    assert get_scheduler() is local.get_sync
    monkeypatch.setenv("PLAIT_SCHEDULER", "threads")
    assert get_scheduler() is threaded.get
    with config.set(scheduler="sync"):
        assert get_scheduler() is local.get_sync
        assert get_scheduler(scheduler="threads") is threaded.get


def test_where_tasks_run():
    here = delayed(threading.get_ident)()
    assert here.compute(scheduler="sync") == threading.get_ident()
    assert here.compute(scheduler="threads") != threading.get_ident()
    assert here.compute() != threading.get_ident()


class Dask(types.SimpleNamespace):
    """As much of dask.config as we know of."""

    def get(self, key, default=None):
        return self.config.get(key.replace("_", "-"), default)


def set_config(monkeypatch):
    monkeypatch.setitem(config.config, "scheduler", "sync")


def set_environment(monkeypatch):
    monkeypatch.setenv("PLAIT_SCHEDULER", "sync")


def set_dask_s_environment(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER", "sync")


def load_dask(monkeypatch):
    fake = Dask(config={"scheduler": "sync"})
    monkeypatch.setitem(sys.modules, "dask.config", fake)


def change_name(monkeypatch):
    monkeypatch.setitem(named_schedulers, "threads", local.get_sync)


@pytest.mark.parametrize(
    "change, kwargs",
    [(set_config, {}), (set_environment, {}), (set_dask_s_environment, {}),
     (load_dask, {}), (change_name, {"scheduler": "threads"})],
)
def test_what_is_set_after_a_computation_counts_for_the_next(
    monkeypatch, change, kwargs
):
    here = delayed(threading.get_ident)()
    assert here.compute(**kwargs) != threading.get_ident()
    change(monkeypatch)
    assert here.compute(**kwargs) == threading.get_ident()


@pytest.mark.parametrize(
    "said", [{}, {"num_workers": 1}, {"scheduler": None}])
def test_what_is_said_and_what_is_set_count_together(said):
    here = delayed(threading.get_ident)()
    with config.set(scheduler="sync", num_workers=2):
        assert here.compute(**said) == threading.get_ident()
        assert here.compute(**{**said, "scheduler": "threads"}) != (
            threading.get_ident())
    with config.set(scheduler=None):
        assert here.compute(**said) != threading.get_ident()


def test_a_wrong_number_of_workers_that_is_set():
    with config.set(num_workers=0):
        with pytest.raises(ValueError, match="num_workers must be 1 or more"):
            add(1, 2).compute()
        assert add(1, 2).compute(num_workers=1) == 3


def test_workers_that_dask_s_config_spells_its_way(monkeypatch):
    fake = Dask(config={"num-workers": 0})
    monkeypatch.setitem(sys.modules, "dask.config", fake)
    with pytest.raises(ValueError, match="num_workers must be 1 or more"):
        add(1, 2).compute()


@pytest.mark.parametrize("seconds", ["1", 0, -1, float("nan"), []])
@pytest.mark.parametrize("name", ["timeout", "run_timeout"])
def test_seconds_that_are_none(name, seconds):
    wrong = f"^{name} must be None or a number of seconds over 0, got "
    with pytest.raises((TypeError, ValueError), match=wrong):
        add(1, 2).compute(**{name: seconds})
    if name == "timeout":
        with pytest.raises((TypeError, ValueError), match=wrong):
            delayed(abs, timeout=seconds)


@pytest.mark.parametrize("name", ["thread", "nonsense"])
def test_an_unknown_name(name):
    with pytest.raises(ValueError, match=r"Expected one of \[distributed, "):
        add(1, 2).compute(scheduler=name)


def test_a_name_that_is_nearly_right():
    with pytest.raises(ValueError, match="did you mean 'threads'"):
        get_scheduler(scheduler="thread")


def test_what_is_no_scheduler():
    with pytest.raises(ValueError, match="Unexpected scheduler: 5"):
        get_scheduler(scheduler=5)


def test_processes_are_not_there_yet():
    with pytest.raises(NotImplementedError, match="not there yet"):
        add(1, 2).compute(scheduler="processes")


@pytest.mark.parametrize("name", ["distributed", "dask.distributed"])
def test_distributed_without_a_client(name):
    text = f"Requested {name} scheduler but no Client active"
    with pytest.raises(RuntimeError, match=text):
        add(1, 2).compute(scheduler=name)


# ---- functions ----


def test_a_function():
    assert get_scheduler(scheduler=mine) is mine
    assert add(1, 2).compute(scheduler=mine) == "mine"
    assert compute([add(1, 2), 5], scheduler=mine) == (["mine", 5],)
    with config.set(scheduler=mine):
        assert add(1, 2).compute() == "mine"
        assert add(1, 2).compute(scheduler="threads") == 3


def test_a_function_gets_a_graph_and_what_else_is_said():
    seen = {}

    def get(dsk, keys, **kwargs):
        seen.update(dsk=dict(dsk), keys=list(keys), kwargs=kwargs)
        return local.get_sync(dsk, keys)

    task = add(add(1, 2), 3)
    assert task.compute(scheduler=get, num_workers=2, bogus=1) == 6
    assert seen["keys"] == [task.key] and len(seen["dsk"]) == 2
    assert seen["kwargs"] == {"num_workers": 2, "bogus": 1}


def test_a_function_under_a_name_of_one_s_own():
    named_schedulers["mine"] = mine
    try:
        assert add(1, 2).compute(scheduler="Mine") == "mine"
        with config.set(scheduler="mine"):
            assert add(1, 2).compute() == "mine"
    finally:
        del named_schedulers["mine"]


def test_a_name_that_dask_knows(monkeypatch):
    base = importlib.import_module("plait.base")
    fake = types.SimpleNamespace(
        named_schedulers={"theirs": mine},
        is_dask_collection=base.is_dask_collection,
    )
    monkeypatch.setitem(sys.modules, "dask.base", fake)
    assert get_scheduler(scheduler="theirs") is mine


def test_collecting_failures_is_ours_alone():
    with pytest.raises(ValueError, match="on_error='collect'"):
        add(1, 2).compute(scheduler=mine, on_error="collect")


# ---- clients ----


def test_a_client():
    client = MyClient()
    assert get_scheduler(scheduler=client) == client.get
    assert add(1, 2).compute(scheduler=client, retries=3) == 3
    assert client.got == [{"retries": 3}]


def test_an_asynchronous_client():
    client = MyClient()
    client.asynchronous = True
    with pytest.raises(RuntimeError, match="asynchronous Client"):
        add(1, 2).compute(scheduler=client)


def test_the_active_client(monkeypatch):
    client = MyClient()
    fake = types.SimpleNamespace(get_client=lambda: client)
    monkeypatch.setitem(sys.modules, "distributed", fake)
    assert add(1, 2).compute() == 3
    assert add(1, 2).compute(scheduler="distributed") == 3
    assert len(client.got) == 2
    assert add(1, 2).compute(scheduler="threads") == 3
    with config.set(scheduler="sync"):
        assert add(1, 2).compute() == 3
    assert len(client.got) == 2


def test_no_active_client(monkeypatch):
    def get_client():
        raise ValueError("No global client found")

    fake = types.SimpleNamespace(get_client=get_client)
    monkeypatch.setitem(sys.modules, "distributed", fake)
    assert get_scheduler() is None
    assert add(1, 2).compute() == 3


# ---- somebody else's pools ----


def where():
    return os.getpid(), threading.current_thread().name


def test_an_executor_of_threads():
    with concurrent.futures.ThreadPoolExecutor(
        2, thread_name_prefix="theirs"
    ) as executor:
        for how in ({"scheduler": executor}, {"pool": executor}):
            pid, name = delayed(where)().compute(**how)
            assert pid == os.getpid() and name.startswith("theirs")
            tasks = [add(n, add(n, 1)) for n in range(20)]
            assert compute(*tasks, **how) == tuple(
                2 * n + 1 for n in range(20)
            )
        with config.set(pool=executor):
            assert delayed(where)().compute()[1].startswith("theirs")


def test_an_executor_of_processes():
    # spawn: this process has threads, which a fork would leave behind
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        2, mp_context=spawn
    ) as executor:
        pid, _ = delayed(where)().compute(pool=executor)
        assert pid != os.getpid()
        plus = delayed(lambda x, y=0: x + y)
        assert plus(plus(1, y=2), y=3).compute(scheduler=executor) == 6
        with pytest.raises(ZeroDivisionError):
            delayed(lambda: 1 / 0)().compute(pool=executor)


def test_a_pool_of_threads():
    with multiprocessing.pool.ThreadPool(2) as pool:
        assert add(add(1, 2), 3).compute(pool=pool) == 6
        assert add(1, 2).compute(scheduler="threads", pool=pool) == 3
        assert add(1, 2).compute(scheduler="processes", pool=pool) == 3


def test_threads_of_one_s_own():
    pool = _core.open_executor(workers=2)
    try:
        assert add(add(1, 2), 3).compute(pool=pool) == 6
        assert add(1, 2).compute(scheduler=pool) == 3
        assert delayed(threading.get_ident)().compute(pool=pool) != (
            threading.get_ident()
        )
    finally:
        _core.close_executor(pool)


def test_an_executor_of_ours():
    with plait.ThreadPoolExecutor(2, thread_name_prefix="ours") as executor:
        for how in ({"scheduler": executor}, {"pool": executor}):
            assert delayed(where)().compute(**how)[1].startswith("ours")
            bad, good = compute(
                delayed(operator.truediv)(1, 0), add(1, 2),
                on_error="collect", **how,
            )
            assert isinstance(bad, plait.Failure) and good == 3
    with pytest.raises(RuntimeError, match="shutdown"):
        add(1, 2).compute(pool=executor)


def test_what_is_no_pool():
    with pytest.raises(TypeError, match="pool must be an Executor"):
        add(1, 2).compute(pool=5)


def test_failures_on_somebody_else_s_pool():
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        bad = delayed(operator.truediv)(1, 0, dask_key_name="bad")
        failure, good = compute(
            add(bad, 1), add(1, 2), pool=executor, on_error="collect"
        )
    assert good == 3
    assert failure.skipped and failure.cause_key == "bad"


def test_options_of_tasks_count_on_somebody_else_s_pool():
    calls = []

    @delayed(retries=2)
    def twice():
        calls.append(1)
        if len(calls) < 3:
            raise OSError("not yet")
        return "third time"

    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        assert twice().compute(pool=executor) == "third time"


# ---- collections that have defaults ----


class Other:
    """A collection that isn't a Delayed."""

    def __init__(self, default):
        self.__dask_scheduler__ = default

    def __dask_graph__(self):
        return {"other": (operator.add, 1, 1)}

    def __dask_keys__(self):
        return ["other"]

    def __dask_postcompute__(self):
        return list, ()

    def __dask_tokenize__(self):
        return "other"


def test_the_default_of_a_collection():
    assert compute(Other(threaded.get)) == ([2],)
    assert compute(Other(threaded.get), add(1, 2)) == ([2], 3)
    assert get_scheduler(collections=[Other(mine)]) is mine
    assert get_scheduler(cls=Other(mine)) is mine


def test_different_defaults():
    with pytest.raises(ValueError, match="differing default schedulers"):
        compute(Other(mine), add(1, 2))
    both = compute(Other(mine), add(1, 2), scheduler="threads")
    assert both == ([2], 3)


RELOAD = """\
import importlib, sys
import plait, plait.base, plait.executors
from plait.diagnostics import Profiler
modules = [name for name in sys.modules if name.startswith("plait.")
           and name != "plait._core"]
if sys.argv[1] != "all":
    modules = sys.argv[1].split()
for name in modules:
    importlib.reload(sys.modules[name])
one = plait.delayed(abs)(-1)
for scheduler in (None, "threads", "sync", "plait"):
    assert one.compute(scheduler=scheduler) == 1
    assert sys.modules["plait.base"].compute(one, scheduler=scheduler) == (1,)
with plait.executors.ThreadPoolExecutor(1) as executor:
    assert one.compute(pool=executor) == 1
    assert one.compute(scheduler=executor) == 1
with Profiler() as profiler:
    assert plait.start(one).result() == [1]
    assert one.compute() == 1
assert len(profiler.results) == 2
assert one.persist().compute() == 1
"""


@pytest.mark.parametrize("modules", [
    "plait.threaded", "plait.local", "plait.multiprocessing",
    "plait.threaded plait.scheduling", "plait.scheduling plait.threaded",
    "plait.local plait.threaded plait.base", "plait.borrowed",
    "plait.collection plait.base", "all"])
def test_modules_may_be_reloaded(modules, tmp_path):
    """In any number: a scheduler is the same function to them all."""
    done = subprocess.run([sys.executable, "-c", RELOAD, modules],
                          cwd=tmp_path, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.stderr == ""
    assert done.returncode == 0
