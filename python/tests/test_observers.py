# SPDX-License-Identifier: BSD-3-Clause
"""The observers of the C library, and the diagnostics of a run: what they
tell."""

import io
import json
import threading

import pytest

import plait
from plait import _core, compute, delayed, start
from plait.callbacks import Callback
from watching import SCHEDULERS, Failing, add, fan, noting, refuse

# ---- the diagnostics that are made of callbacks ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_bar_ends_full(scheduler):
    out = io.StringIO()
    with plait.diagnostics.ProgressBar(out=out, width=10):
        assert fan(20).compute(scheduler=scheduler) == 210
    last = out.getvalue().split("\r")[-1]
    assert last.startswith("[##########] | 100% Completed | ")


def test_a_bar_and_a_profile_of_what_goes_on_in_the_background():
    out = io.StringIO()
    with plait.diagnostics.ProgressBar(out=out), \
            plait.diagnostics.Profiler() as prof:
        assert start(fan(20)).result() == [210]
    assert "| 100% Completed |" in out.getvalue()
    assert len(prof.results) == 21


# ---- progress, traces and profiles in C ----


def test_progress_is_written_to_a_file(tmp_path):
    path = tmp_path / "progress.txt"
    with open(path, "w") as file, _core.progress(file) as seen:
        compute(fan(3), observers=[seen])
    said = path.read_text()
    assert "4/4 tasks" in said and said.endswith("\n")


def test_progress_is_shown_on_stderr(capfd):
    with _core.progress() as seen:
        compute(fan(3), observers=[seen])
    assert "4/4 tasks" in capfd.readouterr().err


def test_progress_needs_a_descriptor():
    with pytest.raises(TypeError):
        _core.progress(object())
    with pytest.raises(OSError):
        _core.progress(10**6)


def events_of(path):
    with open(path) as file:
        return json.load(file)["traceEvents"]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_trace_has_slices_with_names_and_arrows(tmp_path, scheduler):
    path = tmp_path / "trace.json"
    with _core.trace(path) as seen:
        compute(fan(3), observers=[seen], scheduler=scheduler)
    events = events_of(path)
    slices = {one["name"] for one in events if one["ph"] == "X"
              and one.get("cat") == "task"}
    assert slices == {"add-0", "add-1", "add-2", "sum-0"}
    assert len([one for one in events if one["ph"] == "f"]) == 3


def test_a_trace_of_two_computations(tmp_path):
    path = tmp_path / "trace.json"
    with _core.trace(str(path)) as seen:
        compute(fan(3), observers=[seen])
        start(fan(2), observers=[seen]).wait()
    slices = [one["name"] for one in events_of(path)
              if one["ph"] == "X" and one.get("cat") == "task"]
    assert sorted(slices) == sorted(
        ["add-0", "add-1", "add-2", "sum-0", "add-0", "add-1", "sum-0"])


def test_a_trace_that_can_t_be_written(tmp_path):
    with pytest.raises(OSError):
        _core.trace(tmp_path / "nowhere" / "trace.json")


def test_a_profile_knows_when_tasks_ran():
    good = add(1, 2, dask_key_name="good")
    bad = delayed(refuse)(good, dask_key_name="bad")
    after = add(bad, 1, dask_key_name="after")
    with _core.profile() as seen:
        compute(after, good, observers=[seen], on_error="collect")
        timings = seen.timings()
        times = seen.times()
    assert set(timings) == {"good", "bad", "after"}
    assert {key: told[0] for key, told in timings.items()} == {
        "good": "done", "bad": "errored", "after": "skipped"}
    assert set(times) == {"good", "bad"}
    _, worker, attempts, begin, end = timings["good"]
    assert worker >= 0 and attempts == 1 and begin <= end
    assert times["good"] == pytest.approx(end - begin)
    assert timings["after"][1:4] == (None, 0, None)


def test_a_profile_counts_attempts():
    @delayed(retries=2)
    def bad():
        raise Failing

    task = bad(dask_key_name="bad")
    with _core.profile() as seen:
        with pytest.raises(Failing):
            compute(task, observers=[seen])
        assert seen.timings()["bad"][2] == 3


def test_a_profile_of_a_task_that_runs():
    begun, let_go = threading.Event(), threading.Event()

    def wait():
        begun.set()
        let_go.wait()

    task = delayed(wait)(dask_key_name="task")
    seen = _core.profile()
    run = start(task, observers=[seen])
    begun.wait()
    assert seen.timings()["task"][0] == "running"
    assert seen.times() == {}
    with pytest.raises(RuntimeError, match="goes on"):
        seen.close()
    let_go.set()
    run.wait()
    assert set(seen.times()) == {"task"}
    seen.close()
    assert seen.closed
    seen.close()
    with pytest.raises(ValueError, match="closed"):
        seen.times()


def test_a_tally_counts():
    bad = delayed(refuse)(1)
    seen = _core.tally()
    compute(fan(5), add(bad, 1), observers=[seen], on_error="collect")
    expected = {"total": 8, "done": 6, "failed": 1, "skipped": 1}
    assert seen.counts() == expected
    compute(fan(5), observers=[seen])
    assert seen.counts() == {**expected, "total": 14, "done": 12}
    with _core.profile() as profile, pytest.raises(ValueError):
        profile.counts()
    seen.close()
    with pytest.raises(ValueError, match="closed"):
        seen.counts()


def test_an_observer_knows_whether_it_watches():
    go_on = threading.Event()
    with _core.tally() as seen:
        assert not seen.watches
        run = start(delayed(go_on.wait)(60), observers=[seen])
        assert seen.watches
        go_on.set()
        run.wait()
        run.result()
    assert not seen.watches


def test_several_observers_and_callbacks_at_once(tmp_path):
    notes = []
    with noting(notes), _core.profile() as times, \
            _core.trace(tmp_path / "trace.json") as trace:
        compute(fan(5), observers=[times, trace])
        assert len(times.times()) == 6
    assert len([name for name, _ in notes if name == "pretask"]) == 6
    assert len(events_of(tmp_path / "trace.json")) > 6


def test_options_are_kept_when_tasks_have_names():
    tries = []

    @delayed(retries=1)
    def second_time():
        tries.append(1)
        if len(tries) < 2:
            raise Failing
        return "well"

    with _core.profile() as seen:
        assert compute(second_time(), observers=[seen]) == ("well",)


@pytest.mark.parametrize("bad", [1, [1], [Callback()]])
def test_what_is_no_observer(bad):
    with pytest.raises(TypeError):
        compute(fan(2), observers=bad)


def test_observers_that_can_t_be_used():
    closed = _core.profile()
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        compute(fan(2), observers=[closed])
    with _core.progress(2) as seen:
        with pytest.raises(ValueError, match="no profile"):
            seen.times()
    with pytest.raises(TypeError):
        _core.Observer()


def test_one_bad_observer_leaves_the_others_as_they_were():
    good = _core.profile()
    with pytest.raises(TypeError):
        compute(fan(2), observers=[good, 1])
    good.close()
