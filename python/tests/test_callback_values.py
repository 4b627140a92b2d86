# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks that say what values tasks have, as Dask's cache does, and that
measure what a computation uses."""

import operator

import pytest
from watching import SCHEDULERS, Failing, add, noting, refuse

import plait
from plait import Delayed, annotate, compute, delayed, start
from plait.callbacks import Callback


class Counted:
    """A function that counts its calls."""

    def __init__(self, function=operator.add):
        self.function = function
        self.calls = []
        self.__name__ = "counted"

    def __call__(self, *args):
        self.calls.append(args)
        return self.function(*args)


def writing(values):
    return Callback(start=lambda dsk: dsk.update(values))


def diamond(function, **options):
    """two = one + 1, three = two * 2, four = two + three"""
    call = delayed(function, **options)
    two = call(1, 1, dask_key_name="two")
    three = delayed(operator.mul)(two, 2, dask_key_name="three")
    return [two, three, call(two, three, dask_key_name="four")]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_what_start_writes_is_not_computed(scheduler):
    function = Counted()
    notes = []
    with noting(notes), writing({"three": 10}):
        assert compute(*diamond(function), scheduler=scheduler) == (2, 10, 12)
    assert function.calls == [(1, 1), (2, 10)]
    assert [key for name, key in notes if name == "pretask"] == ["two", "four"]
    assert compute(*diamond(function), scheduler=scheduler) == (2, 4, 6)


def test_nor_what_it_alone_needs():
    function = Counted()
    with writing({"two": 5, "three": 7}):
        assert diamond(function)[2].compute() == 12
    with writing({"four": None}):
        assert diamond(function)[2].compute() is None
    assert function.calls == [(5, 7)]


def test_any_value_may_be_written():
    for value in ("two", ("three", 0), [1, "two"], (abs, -1), add(1, 2)):
        with writing({"two": value}):
            (found,) = compute(delayed(list)([diamond(max)[0]]))
        assert found == [value] or found[0] is value


def test_only_tasks_can_be_written():
    with writing({"other": 1}):
        assert diamond(operator.add)[2].compute() == 6


def test_what_is_said_of_tasks_is_kept():
    tried = []

    def flaky(two, three):
        tried.append(two)
        if len(tried) < 3:
            raise Failing
        return two + three

    with annotate(retries=2):
        last = delayed(flaky)(*diamond(operator.add)[:2])
    with writing({"two": 4}):
        assert last.compute() == 12
    assert tried == [4] * 3


def test_in_the_background():
    function = Counted()
    with writing({"two": 3}):
        run = start(*diamond(function))
    assert run.result() == [3, 6, 9]
    assert function.calls == [(3, 6)]


@pytest.mark.parametrize("begin", [compute, start])
def test_finish_is_called_when_nothing_could_begin(begin, monkeypatch):
    notes = []
    with noting(notes):
        with pytest.raises(ValueError):
            begin(add(1, 2), num_workers=2**40)
        with pytest.raises(Failing):
            begin(add(1, 2), callbacks=[noting(notes), Callback(start=refuse)])
        assert add(1, 2).compute() == 3
    names = [name for name, _ in notes]
    assert names.count("start") == names.count("finish") == 3


# ---- Dask's own ----


@pytest.fixture
def diagnostics(dask):
    return pytest.importorskip("dask.diagnostics")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_dask_s_cache(dask, scheduler):
    pytest.importorskip("cachey")
    cache = pytest.importorskip("dask.cache").Cache(1e9)
    function = Counted()
    with cache:
        assert compute(*diamond(function), scheduler=scheduler) == (2, 4, 6)
        assert set(cache.cache.data) == {"two", "three", "four"}
        assert compute(*diamond(function), scheduler=scheduler) == (2, 4, 6)
        assert len(function.calls) == 2
        total = delayed(sum)(diamond(function), dask_key_name="total")
        assert total.compute(scheduler=scheduler) == 12
        assert isinstance(total, Delayed)
    assert len(function.calls) == 2
    assert compute(*diamond(function), scheduler=scheduler) == (2, 4, 6)
    assert len(function.calls) == 4


def test_dask_s_cache_profiler(diagnostics):
    with diagnostics.CacheProfiler() as prof:
        assert diamond(operator.add)[2].compute() == 6
    assert {one.key for one in prof.results} == {"two", "three", "four"}
    assert all(one.cache_time <= one.free_time for one in prof.results)


def test_dask_s_resource_profiler(diagnostics):
    pytest.importorskip("psutil")
    with diagnostics.ResourceProfiler(dt=0.01) as prof:
        plait.compute(*diamond(operator.add))
    assert prof.results and all(one.mem > 0 for one in prof.results)
