# SPDX-License-Identifier: BSD-3-Clause
"""The progress bar and the profiler, on every scheduler."""

import io
import json
import operator
import threading

import pytest

from plait import delayed, notebook, start
from plait.diagnostics import Profiler, ProgressBar

SCHEDULERS = ["sync", "threads"]
add = delayed(operator.add)


def fan(n):
    return delayed(sum)(
        [add(i, 1, dask_key_name=f"part-{i}") for i in range(n)],
        dask_key_name="whole",
    )


def fail():
    raise ZeroDivisionError


# ---- progress ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_bar_ends_full(scheduler):
    out = io.StringIO()
    with ProgressBar(out=out, width=10):
        assert fan(20).compute(scheduler=scheduler) == 210
    last = out.getvalue().split("\r")[-1]
    assert last.startswith("[##########] | 100% Completed | ")
    assert out.getvalue().count("100% Completed") == 1


def test_a_bar_of_a_failed_computation_is_not_full():
    out = io.StringIO()
    with ProgressBar(out=out) as bar:
        with pytest.raises(ZeroDivisionError):
            add(delayed(fail)(), 1).compute()
    assert "| 0% Completed |" in out.getvalue()
    assert "100%" not in out.getvalue()
    assert not bar._running


def test_a_bar_moves_while_tasks_run():
    out = io.StringIO()
    let_go = threading.Event()

    class Screen(io.StringIO):
        def write(self, text):
            if "| 50% Completed" in text:
                let_go.set()
            return out.write(text)

    last = delayed(lambda first: let_go.wait(60))(add(1, 2))
    with ProgressBar(out=Screen(), dt=0.01):
        assert last.compute() is True
    assert "| 50% Completed" in out.getvalue()


def test_a_bar_of_what_goes_on_in_the_background():
    out = io.StringIO()
    with ProgressBar(out=out):
        run = start(fan(20))
        assert run.result() == [210]
    assert "| 100% Completed |" in out.getvalue()


def test_short_computations_have_no_bar():
    out = io.StringIO()
    with ProgressBar(minimum=60, out=out) as bar:
        fan(3).compute()
    assert out.getvalue() == ""
    assert bar.last_duration > 0


def test_a_bar_in_a_notebook(monkeypatch):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(picture._repr_html_())

    def display(picture, display_id):
        shown.append(picture._repr_html_())
        return Handle()

    monkeypatch.setattr(notebook, "display", lambda: display)
    with ProgressBar():
        fan(20).compute()
    assert shown[-1].startswith('<progress max="1" value="1.000"')
    assert "100% Completed" in shown[-1]


# ---- profiles ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_profile_of_all_tasks(scheduler):
    with Profiler() as prof:
        fan(20).compute(scheduler=scheduler)
    keys = {task.key for task in prof.results}
    assert keys == {"whole", *(f"part-{i}" for i in range(20))}
    assert prof.results[-1].key == "whole"
    for task in prof.results:
        assert prof.start_time <= task.start_time <= task.end_time
        assert task.end_time <= prof.end_time
    assert set(prof.times()) == keys


def test_a_profile_of_a_run():
    with Profiler() as prof:
        start(fan(5)).wait()
    assert len(prof.results) == 6


def test_a_profile_as_a_trace(tmp_path):
    with Profiler() as prof:
        fan(3).compute()
    prof.chrome_trace(tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    slices = [one["args"]["key"] for one in events if one["ph"] == "X"]
    assert sorted(slices) == ["part-0", "part-1", "part-2", "whole"]
    assert len([one for one in events if one["ph"] == "f"]) == 3


def test_what_failed_is_not_in_a_profile():
    bad = delayed(fail)(dask_key_name="bad")
    with Profiler() as prof:
        with pytest.raises(ZeroDivisionError):
            add(bad, add(1, 2, dask_key_name="good")).compute()
    assert [task.key for task in prof.results] == ["good"]
