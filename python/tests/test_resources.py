# SPDX-License-Identifier: BSD-3-Clause
"""ResourceProfiler and CacheProfiler."""

import operator
import threading
import time

import pytest

from plait import compute, delayed
from plait.callbacks import Callback
from plait.diagnostics import CacheProfiler, ResourceProfiler

add = delayed(operator.add)


def chain():
    one = add(1, 1, dask_key_name="one")
    two = add(one, 1, dask_key_name="two")
    return add(two, 1, dask_key_name="three")


def wait_for_more(prof, n):
    until = len(prof.results) + n
    while len(prof.results) < until:
        time.sleep(0.001)


def samplers():
    return [one for one in threading.enumerate()
            if one.name == "plait-resources"]


def test_resources_are_noted():
    with ResourceProfiler(dt=0.001) as prof:
        delayed(wait_for_more)(delayed(prof, traverse=False), 3).compute()
        assert len(samplers()) == 1
    assert not samplers()
    times = [one.time for one in prof.results]
    assert len(times) > 1 and times == sorted(times)
    assert prof.start_time <= times[0] <= times[-1] <= prof.end_time
    assert all(one.mem > 1 and one.cpu >= 0 for one in prof.results)
    prof.clear()
    assert prof.results == [] and prof.start_time is None


def test_resources_are_noted_while_something_is_computed():
    prof = ResourceProfiler(dt=0.001)
    prof.register()
    try:
        chain().compute()
        noted = len(prof.results)
        assert noted and not samplers()
        chain().compute()
        assert len(prof.results) > noted and not samplers()
    finally:
        prof.unregister()
    assert not Callback.active


def test_memory_is_that_of_the_process():
    with ResourceProfiler(dt=0.001) as prof:
        held = b"x" * 50_000_000
        wait_for_more(prof, 2)
    assert prof.results[-1].mem >= 50 and len(held) == 50_000_000


def test_values_are_noted():
    with CacheProfiler() as prof:
        assert chain().compute() == 4
    assert [one.key for one in prof.results] == ["one", "two", "three"]
    for one in prof.results:
        assert one.metric == 1 and one.task
        assert prof.start_time <= one.cache_time <= one.free_time
    assert prof.results[0].free_time <= prof.results[2].cache_time
    prof.clear()
    assert prof.results == []


def test_values_are_measured():
    text = delayed(str)("abc", dask_key_name="text")
    with CacheProfiler(metric=len) as prof:
        compute(text + "d", text)
    assert sorted(one.metric for one in prof.results) == [3, 4]


def test_values_of_what_fails():
    bad = delayed(operator.truediv)(chain(), 0)
    with CacheProfiler() as prof, pytest.raises(ZeroDivisionError):
        bad.compute()
    assert len(prof.results) == 3


@pytest.mark.parametrize("kind, axes", [(ResourceProfiler, 2),
                                        (CacheProfiler, 1)])
def test_plots(kind, axes, tmp_path):
    pytest.importorskip("bokeh")
    with kind() as prof:
        chain().compute()
    path = tmp_path / "profile.html"
    figure = prof.visualize(str(path), show=False, title="Mine", width=500)
    assert figure.title.text == "Mine" and figure.width == 500
    assert len(figure.yaxis) == axes
    assert "<html" in path.read_text().lower()
    prof.clear()
    prof.visualize(show=False, save=False)
