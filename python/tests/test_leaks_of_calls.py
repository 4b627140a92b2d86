# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of call, and every way of computing it, leaves nothing behind."""

from __future__ import annotations

import copy
import pathlib
import pickle
import subprocess
from collections import namedtuple
from operator import add

import pytest

import growth
import plait
from plait import compute, delayed, start
from plait.callbacks import Callback

TIMES = 2_000
ROOT = pathlib.Path(__file__).parents[2]

Point = namedtuple("Point", "x y")


class Named:
    def __init__(self, name):
        self.name = name

    def greet(self, other, *, mark="!"):
        return f"{other}, {self.name}{mark}"


def one(n):
    return delayed(abs)(-n)


def pure_calls():
    calls = [delayed(add, pure=True)(n % 2, 1) for n in range(4)]
    return calls + [delayed(sum, pure=True)(calls)]


def keys():
    calls = [one(n) for n in range(3)]
    assert len({call.key for call in calls}) == 3
    return calls + [delayed(abs, name="mine")(1),
                    delayed(abs)(1, dask_key_name="yours")]


def containers():
    return [delayed(repr)({"list": [one(1), (one(2),)], "set": {3},
                           "slice": slice(one(1), None),
                           "point": Point(one(1), one(2))})]


def attributes_and_methods():
    named = delayed(Named)("Ann")
    return [named.name, named.greet("Hello"), named.greet("Hi", mark=one(1)),
            named.name[0], -one(1) + 2 * one(3), one(1) < one(2)]


def many_outputs():
    first, second = delayed(divmod, nout=2)(7, 3)
    return [first + second]


def options():
    return [delayed(abs, retries=2, timeout=60)(one(1)),
            delayed(repr, on_failure="pass")(one(1))]


def annotated():
    with plait.annotate(priority=3):
        return [one(1)]


BUILDERS = [pure_calls, keys, containers, attributes_and_methods,
            many_outputs, options, annotated]


@pytest.fixture(params=["sync", "threads"])
def scheduler(request):
    return request.param


@pytest.mark.parametrize("build", BUILDERS)
def test_computing(build, scheduler):
    growth.assert_none(
        lambda: compute(*build(), scheduler=scheduler), TIMES)


@pytest.mark.parametrize("build", BUILDERS)
def test_what_is_never_computed(build):
    growth.assert_none(build, TIMES)


def test_runs():
    def act():
        calls = containers()
        run = start(*calls)
        run.add_done_callback(lambda run: None)
        assert run.result(calls[0])
        assert run.state(calls[0]) == "done" and run.exception() is None
        assert run.counts()["failed"] == 0 and run.done()

    growth.assert_none(act, TIMES)


def test_persisting_and_optimizing():
    growth.assert_none(
        lambda: plait.optimize(*plait.persist(*pure_calls())), TIMES)


def test_graphs():
    def act():
        call = containers()[0]
        assert len(dict(call.__dask_graph__())) > 1
        assert call.__dask_keys__()

    growth.assert_none(act, TIMES)


def test_pickling_and_copying():
    def act():
        call = delayed(add)(one(1), [one(2)][0])
        assert pickle.loads(pickle.dumps(call)).compute(
            scheduler="sync") == 3
        assert copy.copy(call).compute(scheduler="sync") == 3
        assert copy.deepcopy(call).compute(scheduler="sync") == 3

    growth.assert_none(act, TIMES)


def test_callbacks(scheduler):
    told = []
    callback = Callback(
        start=lambda dsk: told.append(len(dsk)),
        pretask=lambda key, dsk, state: told.append(key),
        posttask=lambda key, value, dsk, state, worker: told.append(value),
        finish=lambda dsk, state, failed: told.clear())

    def act():
        with callback:
            compute(*containers(), scheduler=scheduler)

    growth.assert_none(act, TIMES)


def test_observers(scheduler, tmp_path):
    from plait import _core

    def act():
        with _core.profile() as profile:
            _core.compute(containers(), scheduler=scheduler,
                          observers=[profile])
            assert len(profile.timings()) == len(profile.times())
        with _core.trace(tmp_path / "trace.json") as trace:
            _core.compute(containers(), scheduler=scheduler,
                          observers=[trace])

    growth.assert_none(act, TIMES)


def test_functions_of_c_libraries(scheduler, tmp_path):
    path = tmp_path / "tasks.so"
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-fPIC", "-shared",
                    "-I", ROOT / "include", "-o", path,
                    ROOT / "python" / "tests" / "native" / "tasks.c"],
                   check=True)
    lib = plait.native(str(path))
    data = bytearray(5_000)

    def act():
        values = compute(
            lib.sum(1, one(2)), lib.same({"a": [1, 2.5, None, "b"]}),
            delayed(bytes)(lib.same(data)), scheduler=scheduler)
        assert values[0] == 3
        with pytest.raises(plait.TaskError):
            compute(lib.fail_with("no"), scheduler=scheduler)

    growth.assert_none(act, TIMES)


def test_computing_in_tasks(scheduler):
    def nested(n):
        return compute(one(n), scheduler=scheduler)[0]

    growth.assert_none(
        lambda: compute(*[delayed(nested)(n) for n in range(3)],
                        scheduler=scheduler), TIMES)
