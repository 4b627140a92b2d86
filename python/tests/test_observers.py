# SPDX-License-Identifier: BSD-3-Clause
"""Who watches a computation: in which thread callbacks are called and when,
what they may do, and what the observers of the C library tell."""

import contextvars
import gc
import io
import json
import operator
import os
import queue
import signal
import sqlite3
import threading
import weakref

import pytest

import plait
from plait import _core, compute, delayed, start
from plait.callbacks import Callback

SCHEDULERS = ["sync", "threads"]
EVENTS = ["start", "start_state", "pretask", "posttask", "finish"]
add = delayed(operator.add)


class Failing(Exception):
    """What callbacks and tasks of these tests raise."""


def refuse(*args):
    raise Failing


def noting(notes):
    """A callback that notes its events: (name, key or errored)."""
    return Callback(
        start=lambda dsk: notes.append(("start", None)),
        start_state=lambda dsk, state: notes.append(("start_state", None)),
        pretask=lambda key, *_: notes.append(("pretask", key)),
        posttask=lambda key, *_: notes.append(("posttask", key)),
        finish=lambda dsk, state, errored: notes.append(("finish", errored)),
    )


def fan(n):
    return delayed(sum)([add(i, 1) for i in range(n)])


# ---- where and when callbacks are called ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_the_thread_that_computes_calls(scheduler):
    threads = set()
    note = {name: lambda *_: threads.add(threading.get_ident())
            for name in EVENTS}
    with Callback(**note):
        assert fan(50).compute(scheduler=scheduler, num_workers=4) == 1275
    assert threads == {threading.get_ident()}


def test_a_callback_may_use_what_belongs_to_its_thread():
    log = sqlite3.connect(":memory:")
    log.execute("create table log (key text)")

    def note(key, *_):
        log.execute("insert into log values (?)", (key,))

    with Callback(posttask=note):
        compute(add(1, 2, dask_key_name="one"), scheduler="threads")
    assert log.execute("select key from log").fetchall() == [("one",)]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_task_is_between_its_callbacks(scheduler):
    order = []

    def work(name, *inputs):
        order.append(("run", name))
        return name

    task = delayed(work)
    parts = [task(f"part-{i}", dask_key_name=f"part-{i}") for i in range(20)]
    whole = task("whole", *parts, dask_key_name="whole")
    with noting(order):
        whole.compute(scheduler=scheduler, num_workers=4)
    place = {event: order.index(event) for event in order}
    for key in [*(part.key for part in parts), "whole"]:
        assert place["pretask", key] < place["run", key]
        assert place["run", key] < place["posttask", key]
        assert place["posttask", key] <= place["posttask", "whole"]
    assert all(place["posttask", part.key] < place["pretask", "whole"]
               for part in parts)


@pytest.mark.parametrize("background", [False, True])
def test_one_callback_at_a_time(background):
    inside = []

    def enter(*args):
        inside.append(1)
        assert len(inside) == 1
        for _ in range(1000):
            pass
        inside.pop()

    with Callback(pretask=enter, posttask=enter):
        if background:
            assert start(fan(100), num_workers=4).result() == [5050]
        else:
            assert fan(100).compute(num_workers=4) == 5050


def test_tasks_run_side_by_side_while_callbacks_are_called():
    both = threading.Barrier(2, timeout=60)
    meet = delayed(lambda i: both.wait() and i)
    with noting([]):
        compute(meet(1), meet(2), num_workers=2)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_workers_have_numbers(scheduler):
    workers = set()
    with Callback(posttask=lambda *args: workers.add(args[-1])):
        fan(50).compute(scheduler=scheduler, num_workers=3)
    assert workers
    assert workers <= ({0} if scheduler == "sync" else {0, 1, 2})


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_values_alone_start_and_finish(scheduler):
    notes = []
    with noting(notes):
        assert compute(delayed(1), scheduler=scheduler) == (1,)
    assert [name for name, _ in notes] == ["start", "start_state", "finish"]


def test_equal_pure_tasks_are_called_for_once():
    notes = []
    inc = delayed(operator.neg, pure=True)
    with noting(notes):
        assert compute(inc(1), inc(1), inc(1)) == (-1, -1, -1)
    assert [name for name, _ in notes].count("pretask") == 1


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_task_that_is_tried_again_begins_once(scheduler):
    tries, notes = [], []

    @delayed(retries=2)
    def third_time():
        tries.append(1)
        if len(tries) < 3:
            raise Failing
        return "well"

    with noting(notes):
        assert third_time().compute(scheduler=scheduler) == "well"
    assert len(tries) == 3
    assert [name for name, _ in notes] == EVENTS


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_failure_that_is_collected_is_no_error(scheduler):
    notes = []
    bad = delayed(refuse)(dask_key_name="bad")
    with noting(notes):
        compute(bad, fan(3), on_error="collect", scheduler=scheduler)
    assert ("finish", False) in notes
    assert ("pretask", "bad") in notes and ("posttask", "bad") not in notes


def test_the_first_failure_ends_a_run_that_is_to_stop():
    notes = []
    let_go = threading.Event()
    slow = delayed(let_go.wait)(dask_key_name="slow")
    with noting(notes):
        with pytest.raises(Failing):
            compute(slow, delayed(refuse)(), on_error="stop", num_workers=2)
    let_go.set()
    assert notes[-1] == ("finish", True)


def test_nothing_is_kept():
    class Value:
        pass

    def note(key, result, dsk, state, worker):
        if key != "last":
            seen.append(weakref.ref(result))

    seen = []
    callback = Callback(posttask=note)
    with callback:
        delayed(id)(delayed(Value)(), dask_key_name="last").compute()
    dead = weakref.ref(callback)
    del callback
    gc.collect()
    assert seen[0]() is None and dead() is None


# ---- what callbacks raise ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_no_task_begins_after_a_pretask_that_raises(scheduler):
    ran, notes = [], []
    tasks = [delayed(ran.append)(i) for i in range(50)]
    with noting(notes), Callback(pretask=refuse):
        with pytest.raises(Failing):
            compute(*tasks, scheduler=scheduler, num_workers=1)
    assert ran == []
    assert notes[-1] == ("finish", True)
    assert fan(3).compute(scheduler=scheduler) == 6


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_posttask_that_raises_at_the_very_end(scheduler):
    with Callback(posttask=refuse):
        with pytest.raises(Failing):
            add(1, 2).compute(scheduler=scheduler)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_callbacks_may_raise_what_is_no_exception(scheduler):
    def leave(*args):
        raise SystemExit(3)

    with Callback(pretask=leave):
        with pytest.raises(SystemExit):
            add(1, 2).compute(scheduler=scheduler)


def test_a_start_state_that_raises_finishes_what_has_started():
    ended = []
    first = Callback(finish=lambda *args: ended.append(args[2]))
    with pytest.raises(Failing):
        compute(fan(3), callbacks=[first, Callback(start_state=refuse)])
    assert ended == [True]


def test_a_finish_that_raises_is_raised_and_the_others_are_called():
    ended = []
    callbacks = [
        Callback(finish=refuse),
        Callback(finish=lambda *args: ended.append(args[2])),
    ]
    with pytest.raises(Failing):
        compute(fan(3), callbacks=callbacks)
    assert ended == [False]
    with pytest.raises(Failing) as raised:
        compute(delayed(operator.truediv)(1, 0), callbacks=callbacks)
    assert isinstance(raised.value.__context__, ZeroDivisionError)
    assert ended == [False, True]


def test_ctrl_c_finishes():
    notes = []
    let_go = threading.Event()

    def interrupt():
        os.kill(os.getpid(), signal.SIGINT)
        let_go.wait()

    try:
        with noting(notes):
            with pytest.raises(KeyboardInterrupt):
                compute(*(delayed(interrupt)() for _ in range(3)),
                        num_workers=2)
    finally:
        let_go.set()
    assert notes[-1] == ("finish", True)
    assert "posttask" not in [name for name, _ in notes]
    assert fan(3).compute() == 6


@pytest.mark.parametrize(
    "bad", [1, (1, 2), (None,) * 4, (None,) * 7, (1, None, None, None, None)]
)
def test_what_is_no_callback(bad):
    with pytest.raises(TypeError, match="must be a tuple of five"):
        _core.compute([add(1, 2)], callbacks=[bad])


# ---- computations in computations ----


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("where", ["pretask", "posttask"])
def test_a_callback_may_compute_though_there_is_one_worker(scheduler, where):
    made = []

    def more(*args):
        made.append(fan(10).compute(num_workers=1))

    with Callback(**{where: more}):
        assert add(1, 2).compute(scheduler=scheduler, num_workers=1) == 3
        assert start(add(1, 2), scheduler=scheduler,
                     num_workers=1).result() == [3]
    assert made == [55, 55]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("workers", [1, 4])
def test_a_task_may_compute_with_callbacks_of_its_own(scheduler, workers):
    inner, outer = [], []

    def nested():
        with noting(inner):
            return fan(20).compute(num_workers=workers)

    with noting(outer):
        task = delayed(nested)(dask_key_name="outer")
        assert task.compute(scheduler=scheduler, num_workers=workers) == 210
    assert outer == [(name, key) for name, key in zip(
        EVENTS, [None, None, "outer", "outer", False])]
    names = [name for name, _ in inner]
    assert names.count("pretask") == names.count("posttask") == 21
    assert names[:2] == EVENTS[:2] and names[-1] == "finish"


def test_a_nested_callback_that_raises():
    def nested():
        with Callback(pretask=refuse):
            with pytest.raises(Failing):
                fan(20).compute(num_workers=4)
        return "well"

    notes = []
    with noting(notes):
        assert delayed(nested)().compute(num_workers=4) == "well"
    assert notes[-1] == ("finish", False)


# ---- in the background ----


def test_a_run_calls_back():
    notes = []
    with noting(notes):
        run = start(fan(20))
    assert run.wait()
    names = [name for name, _ in notes]
    assert names[:2] == EVENTS[:2]
    assert names.count("pretask") == names.count("posttask") == 21
    assert notes[-1] == ("finish", False)


def test_a_run_calls_in_the_context_of_who_started_it():
    user = contextvars.ContextVar("user", default="nobody")
    seen = set()
    with Callback(pretask=lambda *_: seen.add(user.get())):
        token = user.set("somebody")
        run = start(fan(20))
        user.reset(token)
    run.wait()
    assert seen == {"somebody"}


@pytest.mark.parametrize("where", ["pretask", "posttask"])
def test_what_a_callback_of_a_run_raises(where):
    ended = queue.SimpleQueue()
    note = Callback(finish=lambda *args: ended.put(args[2]))
    with note, Callback(**{where: refuse}):
        run = start(fan(20))
    with pytest.raises(Failing):
        run.result()
    assert isinstance(run.exception(), Failing)
    assert ended.get(timeout=60) is True


def test_a_posttask_that_raises_at_the_end_of_a_run():
    with Callback(posttask=refuse):
        task = add(1, 2)
        run = start(task)
    with pytest.raises(Failing):
        run.result(task)


@pytest.mark.parametrize("end", ["cancel", "drop"])
def test_finish_is_called_once_when_a_run_is_given_up(end):
    ended = threading.Event()
    begun, let_go = threading.Event(), threading.Event()
    notes = []

    def note(dsk, state, errored):
        notes.append(errored)
        ended.set()

    def wait():
        begun.set()
        let_go.wait()

    with Callback(finish=note):
        run = start(add(delayed(wait)(), 1))
    begun.wait()
    if end == "cancel":
        run.cancel()
    del run
    let_go.set()
    assert ended.wait(60)
    assert notes == [True]


def test_a_callback_that_is_gone_before_its_run_ends():
    let_go = threading.Event()
    notes = []
    with noting(notes):
        run = start(delayed(let_go.wait)())
        other = []
        with noting(other):
            fan(3).compute()
        assert other
    let_go.set()
    run.wait()
    assert not Callback.active
    assert notes[-1] == ("finish", False)


def test_tasks_of_a_run_don_t_call_what_the_run_calls():
    inner, outer = [], []

    def nested():
        with noting(inner):
            return fan(5).compute()

    with noting(outer):
        run = start(delayed(nested)(dask_key_name="outer"))
        run.wait()
    assert {key for name, key in outer if name == "pretask"} == {"outer"}
    assert len([name for name, _ in inner if name == "pretask"]) == 6


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


# ---- pictures after a run ----


def colours(picture):
    lines = picture.data.decode().splitlines()
    return [line for line in lines if "fillcolor=\"#" in line]


def test_a_picture_by_the_time_that_tasks_took():
    task = fan(3)
    with _core.profile() as seen:
        compute(task, observers=[seen])
        picture = task.visualize(None, format="dot", color="time",
                                 profile=seen)
    assert len(colours(picture)) == 4
    assert all(" ms" in line for line in colours(picture))


def test_a_picture_of_a_run_by_time():
    with _core.profile() as seen:
        run = start(fan(3), observers=[seen])
        run.wait()
        picture = run.visualize(None, format="dot", profile=seen)
        states = run.visualize(None, format="dot")
    assert all(" ms" in line for line in colours(picture))
    assert len(colours(picture)) == len(colours(states)) == 4
    assert all("done" in line for line in colours(states))


def test_a_picture_of_what_a_profiler_saw():
    task = fan(3)
    with plait.diagnostics.Profiler() as prof:
        task.compute()
    picture = task.visualize(None, format="dot", color="time", profile=prof)
    assert len(colours(picture)) == 4


# ---- pictures that C draws ----


def test_c_draws_what_delayeds_need(tmp_path):
    _core.draw([fan(2)], tmp_path / "graph.dot")
    text = (tmp_path / "graph.dot").read_text()
    assert all(name in text for name in ("add-0", "add-1", "sum-0"))


def test_c_draws_a_run_by_the_time_that_tasks_took(tmp_path):
    path = tmp_path / "run.dot"
    with _core.profile() as seen, _core.profile() as other:
        run = start(fan(2), observers=[seen])
        run.wait()
        _core.draw(run, path, profile=seen)
        assert "plait-" in path.read_text() and "add-1" in path.read_text()
        _core.draw(run, path)
        assert "plait-" not in path.read_text() and "add-1" in path.read_text()
        with pytest.raises(ValueError, match="no profile that watched"):
            _core.draw(run, path, profile=other)
        with pytest.raises(ValueError, match="is for a Run"):
            _core.draw(run.targets, path, profile=seen)


def test_what_c_can_t_draw(tmp_path):
    with pytest.raises(ValueError, match="extension"):
        _core.draw([fan(2)], tmp_path / "graph")
    with pytest.raises(OSError):
        _core.draw([fan(2)], tmp_path / "nowhere" / "graph.dot")
    with pytest.raises(TypeError, match="no Delayed"):
        _core.draw([1], tmp_path / "graph.dot")
