# SPDX-License-Identifier: BSD-3-Clause
"""Running delayed calls: values, failures, time, contexts, threads."""

import concurrent.futures
import contextvars
import gc
import logging
import operator
import threading
import time
import traceback
import weakref

import pytest

import plait
from plait import _core
from plait.delayed import Failure, delayed

SCHEDULERS = ["sync", "threads"]
both = pytest.mark.parametrize("scheduler", SCHEDULERS)


@delayed
def increase(x):
    return x + 1


def values(*tasks, **settings):
    return _core.compute(tasks, **settings)


def spin(seconds=20):
    """Runs Python code, so that it can be interrupted."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.fixture(autouse=True)
def quiet(caplog):
    """Failures are logged; what keeps records keeps their exceptions."""
    caplog.set_level(logging.CRITICAL + 1, logger="plait")


# ---- values ----


@both
def test_shapes(scheduler):
    one = increase(0)
    diamond = delayed(operator.add)(increase(one), increase(one))
    wide = delayed(sum)([increase(i) for i in range(1000)])
    assert values(diamond, one, wide, diamond, scheduler=scheduler) == [
        4,
        1,
        500500,
        4,
    ]


@both
def test_no_tasks_at_all(scheduler):
    assert values(scheduler=scheduler) == []
    assert values(delayed(5), delayed(len), scheduler=scheduler) == [5, len]


@both
def test_keyword_arguments(scheduler):
    made = delayed(dict)(a=1, b=increase(1), c=[increase(2)])
    assert values(made, scheduler=scheduler) == [{"a": 1, "b": 2, "c": [3]}]


@both
def test_many_arguments(scheduler):
    tasks = [increase(i) for i in range(40)]
    assert values(delayed(lambda *a: a)(*tasks), scheduler=scheduler) == [
        tuple(range(1, 41))
    ]


@both
def test_a_long_chain(scheduler):
    task = increase(0)
    for _ in range(99_999):
        task = increase(task)
    assert values(task, scheduler=scheduler) == [100_000]


@both
def test_results_are_let_go_of(scheduler):
    class Big:
        pass

    alive = []

    def make():
        big = Big()
        alive.append(weakref.ref(big))
        return big

    def use(big):
        return 1

    def look(n):
        return sum(ref() is not None for ref in alive)

    used = delayed(use)(delayed(make)())
    assert values(delayed(look)(used), scheduler=scheduler) == [0]


def test_wrong_settings():
    one = increase(0)
    for settings in (
        {"on_error": "x"},
        {"workers": -1},
        {"retries": -1},
        {"timeout": 0},
        {"run_timeout": -1},
        {"scheduler": "nobody"},
    ):
        with pytest.raises(ValueError):
            values(one, **settings)
    with pytest.raises(TypeError):
        values(5)


# ---- contexts and threads ----


@both
def test_each_task_has_its_own_context(scheduler):
    variable = contextvars.ContextVar("variable", default=0)

    def exchange(x):
        before = variable.get()
        variable.set(x)
        return before

    variable.set(7)
    tasks = [delayed(exchange)(i) for i in range(50)]
    assert values(*tasks, scheduler=scheduler) == [7] * 50
    assert variable.get() == 7


def test_names_of_threads():
    name = delayed(lambda: threading.current_thread().name)
    names = values(*[name() for _ in range(20)], scheduler="threads")
    assert all(one.startswith("plait-") for one in names)
    thread = threading.current_thread().name
    assert values(name(), scheduler="sync") == [thread]


@both
def test_a_task_may_compute(scheduler):
    def outer(n):
        return values(
            delayed(sum)([increase(i) for i in range(n)]), scheduler="threads"
        )[0]

    tasks = [delayed(outer)(n) for n in range(30)]
    assert values(*tasks, scheduler=scheduler) == [
        sum(range(1, n + 1)) for n in range(30)
    ]


@both
def test_many_threads_compute_the_same_tasks(scheduler):
    shared = [increase(i) for i in range(50)]
    wrong = []

    def work():
        total = delayed(sum)(shared)
        for _ in range(50):
            got = values(total, scheduler=scheduler)
            if got != [1275]:
                wrong.append(got)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_pool_of_ones_own():
    pool = _core.open_executor("threads", 3)
    assert pool.workers == 3 and not pool.closed
    assert values(increase(1), executor=pool) == [2]
    _core.close_executor(pool)
    _core.close_executor(pool)
    assert pool.closed
    with pytest.raises(RuntimeError, match="closed"):
        values(increase(1), executor=pool)


# ---- failures ----


class Odd(Exception):
    pass


def load(path):
    if "3" in path:
        raise Odd(path)
    return path


def clean(rows):
    return rows


def pipeline():
    return [
        delayed(clean)(delayed(clean)(delayed(load)(f"file_{i}.csv")))
        for i in range(5)
    ]


@both
def test_a_failure_is_raised_as_it_was(scheduler):
    with pytest.raises(Odd) as caught:
        values(delayed(len)(pipeline()), scheduler=scheduler)
    assert caught.value.args == ("file_3.csv",)
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert frames[-1].name == "load"
    assert not any("/plait/" in frame.filename for frame in frames)
    (failure,) = plait.failures(caught.value)
    assert failure.exception is caught.value
    assert failure.sources == ("load('file_3.csv')",)
    assert "Odd: file_3.csv" in failure.traceback_text
    assert not failure and not failure.skipped
    assert failure.key == failure.cause_key


@both
def test_the_note_says_which_input_it_was(scheduler):
    def analyze(rows):
        if rows == "file_2.csv":
            raise Odd
        return rows

    tasks = [
        delayed(analyze)(delayed(clean)(delayed(str)(f"file_{i}.csv")))
        for i in range(4)
    ]
    with pytest.raises(Odd) as caught:
        values(*tasks, scheduler=scheduler)
    assert caught.value.__notes__ == [
        "in task analyze-2 ← clean-2 ← str('file_2.csv')"
    ]


@both
def test_other_branches_finish(scheduler):
    seen = []
    tasks = [delayed(seen.append)(rows) for rows in pipeline()]
    with pytest.raises(Odd):
        values(*tasks, scheduler=scheduler)
    assert sorted(seen) == [f"file_{i}.csv" for i in (0, 1, 2, 4)]


def test_stop_starts_nothing_new():
    seen = []
    first = delayed(load)("file_3.csv")
    tasks = [first] + [delayed(seen.append)(i) for i in range(100)]
    with pytest.raises(Odd):
        values(*tasks, scheduler="sync", on_error="stop")
    assert seen == []


@both
def test_collect_puts_failures_in_their_places(scheduler):
    got = values(*pipeline(), scheduler=scheduler, on_error="collect")
    assert [one for one in got if one] == [
        f"file_{i}.csv" for i in (0, 1, 2, 4)
    ]
    failure = got[3]
    assert isinstance(failure, Failure) and failure.skipped
    assert isinstance(failure.exception, Odd)
    assert failure.cause_key != failure.key
    assert failure.sources == ("load('file_3.csv')",)


@both
def test_a_task_may_take_failures(scheduler):
    def count(rows):
        return sum(bool(one) for one in rows), [
            one.exception.args for one in rows if not one
        ]

    task = delayed(count, on_failure="pass")(pipeline())
    assert values(task, scheduler=scheduler) == [(4, [("file_3.csv",)])]


@both
@pytest.mark.parametrize("on_error", ["finish", "stop", "collect"])
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_ends_the_run(scheduler, on_error, kind):
    calls = []

    def end():
        calls.append(1)
        raise kind("now")

    with pytest.raises(kind, match="now"):
        values(
            delayed(end)(),
            increase(1),
            scheduler=scheduler,
            on_error=on_error,
            retries=3,
        )
    assert len(calls) == 1


@both
def test_retries(scheduler):
    def flaky(times):
        times.append(1)
        if len(times) < 3:
            raise Odd(len(times))
        return len(times)

    assert values(delayed(flaky, retries=2)([]), scheduler=scheduler) == [3]
    assert values(delayed(flaky)([]), scheduler=scheduler, retries=5) == [3]
    with pytest.raises(Odd, match="2") as caught:
        values(delayed(flaky, retries=1)([]), scheduler=scheduler)
    assert len(plait.failures(caught.value)) == 1


@both
def test_a_task_s_timeout(scheduler):
    with pytest.raises(TimeoutError, match="longer than its 0.1 s") as caught:
        values(delayed(spin, timeout=0.1)(), scheduler=scheduler)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "spin"
    with pytest.raises(TimeoutError):
        values(delayed(spin)(), scheduler=scheduler, timeout=0.1)
    assert values(increase(1), scheduler=scheduler) == [2]


@both
def test_a_run_s_timeout(scheduler):
    tasks = [delayed(spin)() for _ in range(3)]
    with pytest.raises(TimeoutError, match="run_timeout"):
        values(*tasks, scheduler=scheduler, run_timeout=0.1)
    assert values(increase(1), scheduler=scheduler) == [2]


def test_a_failed_task_runs_again():
    calls = []

    def fail(x, y):
        calls.append((x, y))
        raise Odd

    with pytest.raises(Odd) as caught:
        values(delayed(fail)(increase(1), [increase(2)]))
    (failure,) = plait.failures(caught.value)
    with pytest.raises(Odd):
        failure.rerun()
    assert calls == [(2, [3])] * 2


def test_only_the_first_failure_keeps_its_frames():
    def fail(i):
        raise Odd(i)

    with pytest.raises(Odd) as caught:
        values(*[delayed(fail)(i) for i in range(4)], scheduler="sync")
    failed = plait.failures(caught.value)
    assert [one.exception.args for one in failed] == [(0,), (1,), (2,), (3,)]
    kept = [one.exception.__traceback__ is not None for one in failed]
    assert kept == [True, False, False, False]
    assert all("in fail" in one.traceback_text for one in failed)


# ---- runs ----


def test_a_run():
    gate = threading.Event()
    first = delayed(gate.wait)(30)
    last = increase(first)
    run = _core.start([last])
    assert not run.done() and not run.wait(0.01)
    assert run.exception() is None
    assert run.state(last) == "waiting"
    with pytest.raises(TimeoutError):
        run.result(timeout=0.01)
    gate.set()
    assert run.wait(30) and run.done()
    assert run.result(last) == 2 and run.result() == [2]
    assert run.state(first) == run.state(last) == "done"
    assert run.counts()["done"] == 2
    assert run.failures == () and run.targets == [last]
    with pytest.raises(ValueError, match="no target"):
        run.result(first)
    with pytest.raises(ValueError, match="no task"):
        run.state(increase(1))


def test_a_run_that_fails():
    bad = delayed(load)("file_3.csv")
    run = _core.start([increase(bad), increase(1)])
    run.wait()
    assert isinstance(run.exception(), Odd)
    assert run.state(bad) == "errored"
    assert run.state(run.targets[0]) == "skipped"
    assert run.result(run.targets[1]) == 2
    assert len(run.failures) == 1


def test_a_run_is_cancelled():
    ends = []

    def long():
        try:
            spin()
        finally:
            ends.append(1)

    run = _core.start([delayed(long)()])
    while run.counts()["running"] == 0 and not run.done():
        time.sleep(0.001)
    time.sleep(0.05)
    run.cancel()
    with pytest.raises(concurrent.futures.CancelledError):
        run.result()
    for _ in range(1000):
        if ends:
            break
        time.sleep(0.01)
    assert ends == [1]
    assert values(increase(1)) == [2]


def test_a_cancelled_run_s_only_task_has_ended():
    run = _core.start([delayed(spin)()])
    while run.counts()["running"] == 0:
        time.sleep(0.001)
    run.cancel()
    while run.counts()["failed"] == 0:
        time.sleep(0.001)
    with pytest.raises(concurrent.futures.CancelledError):
        run.result()
    assert isinstance(run.exception(), concurrent.futures.CancelledError)


def test_a_cancelled_task_s_computation_begins_nothing():
    lock = threading.Lock()
    lock.acquire()
    ready = threading.Event()
    begun = []

    def outer():
        waits = delayed(lambda: ready.set() or True)()
        last = delayed(begun.append)(delayed(lock.acquire)(waits))
        _core.compute([last], scheduler="threads", workers=1)

    run = _core.start([delayed(outer)()])
    assert ready.wait(30)
    time.sleep(0.05)
    run.cancel()
    time.sleep(0.05)
    lock.release()
    while run.counts()["failed"] == 0:
        time.sleep(0.001)
    assert begun == []


@both
def test_a_task_s_time_is_up_in_what_it_computes(scheduler):
    def outer():
        _core.compute([delayed(spin)() for _ in range(3)], scheduler="threads")

    value, = values(delayed(outer, timeout=0.1)(), scheduler=scheduler,
                    on_error="collect")
    assert isinstance(value.exception, TimeoutError)


def test_done_callbacks():
    called = threading.Event()
    run = _core.start([increase(1)])
    run.add_done_callback(lambda it: it is run and called.set())
    assert called.wait(30)
    again = threading.Event()
    run.add_done_callback(lambda it: again.set())
    assert again.wait(30)


def test_a_run_that_nobody_waits_for():
    run = _core.start([delayed(spin)(0.05) for _ in range(4)])
    ref = weakref.ref(run)
    del run
    gc.collect()
    assert ref() is None


# ---- a Delayed that nobody runs ----


@both
def test_a_delayed_that_nobody_runs(scheduler):
    def lose(x):
        return [increase(x)]

    def compute_it(x):
        return increase(x).compute(scheduler="sync")

    with pytest.warns(UserWarning, match="increase"):
        values(delayed(lose)(1), delayed(lose)(2), scheduler=scheduler)
    assert values(delayed(compute_it)(1), scheduler=scheduler) == [2]


# ---- many ----


@both
def test_leaves_nothing_behind(scheduler):
    def fail():
        raise Odd

    def once():
        values(delayed(sum)([increase(i) for i in range(5)]),
               scheduler=scheduler)
        values(delayed(fail)(), scheduler=scheduler, on_error="collect")
        with pytest.raises(Odd):
            values(delayed(fail)(), scheduler=scheduler)

    for _ in range(20):
        once()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(200):
        once()
    gc.collect()
    assert len(gc.get_objects()) < before + 100
