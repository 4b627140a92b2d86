# SPDX-License-Identifier: BSD-3-Clause
"""ProgressBar and Profiler."""

import io
import json
import operator
import sys
import threading
import types

import pytest

from plait.base import compute, start
from plait.callbacks import Callback
from plait.delayed import delayed
from plait.diagnostics import Profiler, ProgressBar
from plait.diagnostics.progress import format_time

add = delayed(operator.add)


def chain():
    one = delayed(1, name="one")
    two = add(one, 1, dask_key_name="two")
    return add(two, one, dask_key_name="three")


# ---- ProgressBar ----


def assert_completed(text, width=40):
    assert text.count("100% Completed") == 1
    last = text.split("\r")[-1]
    bar, percent, time = (part.strip() for part in last.split("|"))
    assert bar == "[" + "#" * width + "]"
    assert percent == "100% Completed"
    assert time and text.endswith("\n")


def test_a_bar(capsys):
    with ProgressBar():
        chain().compute()
    assert_completed(capsys.readouterr().out)
    with ProgressBar(width=20):
        chain().compute()
    assert_completed(capsys.readouterr().out, 20)


def test_a_bar_of_nothing(capsys):
    with ProgressBar():
        delayed(1).compute()
    assert_completed(capsys.readouterr().out)


def test_a_bar_elsewhere(capsys):
    out = io.StringIO()
    with ProgressBar(out=out):
        chain().compute()
    assert_completed(out.getvalue())
    assert capsys.readouterr().out == ""


def test_no_bar_of_what_is_short(capsys):
    with ProgressBar(minimum=60) as bar:
        chain().compute()
    assert capsys.readouterr().out == ""
    assert 0 < bar.last_duration < 60


def test_a_bar_of_what_fails(capsys):
    bad = delayed(operator.truediv)(chain(), 0)
    with pytest.raises(ZeroDivisionError):
        with ProgressBar() as bar:
            bad.compute(scheduler="sync")
    out = capsys.readouterr().out
    assert "66% Completed" in out and "100%" not in out
    assert not bar._running and not bar._timer.is_alive()


def test_a_bar_that_grows():
    out = io.StringIO()
    seen, go_on = threading.Event(), threading.Event()

    class Watched(io.StringIO):
        def write(self, text):
            if "50% Completed" in text:
                seen.set()
            return out.write(text)

    last = add(add(1, 2), delayed(lambda: go_on.wait(60))())
    waits = [delayed(lambda: go_on.wait(60))()]
    quick = add(1, 2)

    def let_go():
        seen.wait(60)
        go_on.set()

    helper = threading.Thread(target=let_go)
    helper.start()
    with ProgressBar(dt=0.001, out=Watched()):
        compute(quick, *waits, num_workers=2)
    helper.join()
    assert seen.is_set()
    assert_completed(out.getvalue())
    assert last.compute() == 4


def test_a_bar_with_functions_of_its_own(capsys):
    class Noting(ProgressBar):
        def _posttask(self, key, value, dsk, state, worker):
            keys.append(key)

    keys = []
    with Noting():
        chain().compute()
    assert keys == ["two", "three"]
    assert_completed(capsys.readouterr().out)


def test_a_bar_a_profile_and_a_callback(capsys):
    keys = []
    with ProgressBar(), Profiler() as prof, Callback(
        start=lambda dsk: keys.append(set(dsk)),
        pretask=lambda key, dsk, state: keys.append(key),
    ):
        chain().compute()
    assert keys == [{"one", "two", "three"}, "two", "three"]
    assert [task.key for task in prof.results] == ["two", "three"]
    assert_completed(capsys.readouterr().out)


def test_a_registered_bar(capsys):
    bar = ProgressBar()
    bar.register()
    try:
        chain().compute()
        assert_completed(capsys.readouterr().out)
    finally:
        bar.unregister()
    chain().compute()
    assert capsys.readouterr().out == ""
    assert not Callback.active


def test_a_bar_in_a_program_without_a_console(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with ProgressBar():
        assert chain().compute() == 3


def test_a_bar_in_a_notebook(monkeypatch, capsys):
    shown = []

    class Handle:
        def update(self, picture):
            shown.append(picture._repr_html_())

    def display(picture, display_id):
        assert display_id
        shown.append(picture._repr_html_())
        return Handle()

    fake = types.SimpleNamespace(
        get_ipython=lambda: types.SimpleNamespace(kernel=object()),
        display=types.SimpleNamespace(display=display),
    )
    monkeypatch.setitem(sys.modules, "IPython", fake)
    with ProgressBar():
        chain().compute()
    assert shown[-1].startswith("<progress") and "100%" in shown[-1]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.0000123, "12.30 us"),
        (0.0123, "12.30 ms"),
        (1.4, "1.40 s"),
        (75, "1 m 15 s"),
        (3725, "1 h 2 m"),
    ],
)
def test_durations(seconds, text):
    assert format_time(seconds) == text


# ---- Profiler ----


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_a_profile(scheduler):
    with Profiler() as prof:
        chain().compute(scheduler=scheduler)
    assert [task.key for task in prof.results] == ["two", "three"]
    for task in prof.results:
        assert len(task) == 5 and task.task
        assert prof.start_time <= task.start_time <= task.end_time
        assert task.end_time <= prof.end_time
    assert prof.results[0].end_time <= prof.results[1].start_time
    assert set(prof.times()) == {"two", "three"}
    prof.clear()
    assert prof.results == [] and prof.times() == {}


def test_a_profile_of_several_computations():
    with Profiler() as prof:
        chain().compute()
        add(1, 2, dask_key_name="other").compute()
    assert [task.key for task in prof.results] == ["two", "three", "other"]
    with prof:
        chain().compute()
    assert len(prof.results) == 2


def test_a_profile_of_what_fails():
    bad = delayed(operator.truediv)(chain(), 0)
    with pytest.raises(ZeroDivisionError):
        with Profiler() as prof:
            bad.compute()
    assert [task.key for task in prof.results] == ["two", "three"]


def test_a_profile_of_what_goes_on():
    go_on = threading.Event()
    first = add(1, 2, dask_key_name="first")
    last = delayed(lambda _: go_on.wait(60))(first, dask_key_name="last")
    with Profiler() as prof:
        run = start(last)
        while not prof.results:
            run.wait(0.001)
        assert [task.key for task in prof.results] == ["first"]
        go_on.set()
        assert run.result() == [True]
    assert [task.key for task in prof.results] == ["first", "last"]
    assert prof.needs["last"] == {"first"}


def test_a_profiler_with_functions_of_its_own():
    class Values(Profiler):
        def _posttask(self, key, value, *more):
            super()._posttask(key, value, *more)
            values.append(value)

    values = []
    with Values() as prof:
        chain().compute()
    assert values == [2, 3] and len(prof.results) == 2
    assert prof.needs["three"] == {"one", "two"}


def test_a_registered_profiler():
    prof = Profiler()
    prof.register()
    try:
        chain().compute()
        chain().compute()
    finally:
        prof.unregister()
    assert len(prof.results) == 4


def test_a_chrome_trace(tmp_path):
    with Profiler() as prof:
        chain().compute()
    path = tmp_path / "trace.json"
    prof.chrome_trace(path)
    events = json.loads(path.read_text())["traceEvents"]
    slices = [one for one in events if one["ph"] == "X"]
    assert [one["args"]["key"] for one in slices] == ["two", "three"]
    assert all(one["dur"] >= 0 and one["ts"] >= 0 for one in slices)
    names = [one for one in events if one["ph"] == "M"]
    assert {one["tid"] for one in names} == {one["tid"] for one in slices}
    begins = [one for one in events if one["ph"] == "s"]
    ends = [one for one in events if one["ph"] == "f"]
    assert len(begins) == len(ends) == 1
    assert begins[0]["id"] == ends[0]["id"]
    assert begins[0]["ts"] <= ends[0]["ts"]


def test_an_empty_chrome_trace(tmp_path):
    path = tmp_path / "trace.json"
    Profiler().chrome_trace(str(path))
    assert json.loads(path.read_text()) == {"traceEvents": []}


def test_a_plot(tmp_path):
    models = pytest.importorskip("bokeh.models")
    with Profiler() as prof:
        chain().compute()
    path = tmp_path / "profile.html"
    figure = prof.visualize(
        filename=str(path),
        show=False,
        title="Not the default",
        width=500,
        height=300,
        tools="hover",
    )
    assert (figure.width, figure.height) == (500, 300)
    assert [type(tool) for tool in figure.tools] == [models.HoverTool]
    assert figure.title.text == "Not the default"
    assert "<html" in path.read_text().lower()
    prof.clear()
    prof.visualize(show=False, save=False)


def test_a_plot_with_a_palette_that_there_is_not():
    pytest.importorskip("bokeh")
    with Profiler() as prof:
        chain().compute()
    with pytest.raises(ValueError, match="nonsense"):
        prof.visualize(show=False, save=False, palette="nonsense")
