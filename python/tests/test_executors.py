# SPDX-License-Identifier: BSD-3-Clause
"""Executors on Plait's threads, beyond what CPython's own tests ask."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from concurrent import futures

import dask
import pytest

import plait
from plait import ThreadPoolExecutor, delayed

NUMBER = contextvars.ContextVar("NUMBER", default=0)


@pytest.fixture
def executor():
    with ThreadPoolExecutor(max_workers=5) as made:
        yield made


def run_program(text, **more):
    return subprocess.run([sys.executable, "-c", text], capture_output=True,
                          text=True, timeout=60, check=False, **more)


def test_fifty_calls_five_at_a_time(executor):
    lock = threading.Lock()
    barrier = threading.Barrier(5, timeout=30)
    now = most = 0

    def call(number):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        barrier.wait()
        with lock:
            now -= 1
        return number

    made = [executor.submit(call, number) for number in range(50)]
    done = {future.result() for future in futures.as_completed(made)}
    assert done == set(range(50))
    assert most == 5


def test_it_is_an_executor_of_the_standard_library(executor):
    assert isinstance(executor, futures.Executor)
    assert isinstance(executor.submit(abs, -1), futures.Future)


def test_no_thread_before_the_first_call():
    before = threading.active_count()
    executor = ThreadPoolExecutor(max_workers=5)
    assert threading.active_count() == before
    executor.shutdown()


def test_asyncio_runs_calls_in_it(executor):
    async def main():
        loop = asyncio.get_running_loop()
        calls = [loop.run_in_executor(executor, pow, 2, n) for n in range(20)]
        return await asyncio.gather(*calls)

    assert asyncio.run(main()) == [2 ** n for n in range(20)]


def test_dask_computes_on_it(executor):
    @dask.delayed
    def name(_):
        return threading.current_thread().name

    for names in (dask.compute(*map(name, range(20)), scheduler=executor)
                  + dask.compute(*map(name, range(20)), pool=executor,
                                 scheduler="threads")):
        assert names.startswith("ThreadPoolExecutor-")


@pytest.mark.parametrize("how", ["pool", "scheduler"])
def test_graphs_run_on_its_threads(executor, how):
    barrier = threading.Barrier(5, timeout=30)

    @delayed
    def name(_):
        barrier.wait()
        return threading.current_thread().name

    names = plait.compute(*map(name, range(20)), **{how: executor})
    assert set(names) <= {thread.name for thread in executor._threads}
    assert all(one.startswith("ThreadPoolExecutor-") for one in names)


def test_calls_and_graphs_share_its_threads():
    with ThreadPoolExecutor(max_workers=1) as executor:
        going = threading.Event()

        def call():
            if not going.is_set():
                time.sleep(0.001)
                executor.submit(call)

        executor.submit(call)
        # The calls never end by themselves, and there is one thread.
        assert delayed(abs)(-3).compute(pool=executor) == 3
        going.set()


def test_a_call_may_compute_on_its_own_executor(executor):
    def call(n):
        tasks = [delayed(pow)(i, 2) for i in range(n)]
        return delayed(sum)(tasks).compute(pool=executor)

    assert list(executor.map(call, [10] * 10)) == [285] * 10


def test_calls_have_the_context_of_their_thread():
    """Not that of who submits: as in the standard library."""
    for kind in (futures.ThreadPoolExecutor, ThreadPoolExecutor):
        with kind(max_workers=1) as executor:
            token = NUMBER.set(3)
            try:
                assert executor.submit(NUMBER.get).result() == 0
                executor.submit(NUMBER.set, 5).result()
                assert executor.submit(NUMBER.get).result() == 5
                assert NUMBER.get() == 3
            finally:
                NUMBER.reset(token)


def test_the_initializer_is_called_once_in_each_thread():
    called = []
    barrier = threading.Barrier(3, timeout=30)
    with ThreadPoolExecutor(
            3, initializer=lambda: called.append(threading.get_ident())) as ex:
        for _ in range(10):
            list(ex.map(lambda _: barrier.wait(), range(3)))
    assert len(called) == 3
    assert len(set(called)) == 3


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_map_in_chunks_is_map(executor, size):
    items = list(range(100))
    made = executor.map(divmod, items, [7] * 100, chunksize=size)
    assert list(made) == [divmod(item, 7) for item in items]


def test_a_chunk_raises_in_its_place(executor):
    made = executor.map(lambda n: 10 // (5 - n), range(10), chunksize=4)
    assert [next(made) for _ in range(5)] == [2, 2, 3, 5, 10]
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_a_chunk_of_nothing_is_refused(executor):
    with pytest.raises(ValueError, match="chunksize"):
        executor.map(abs, [1], chunksize=0)


def test_what_no_longer_is_used_ends_its_threads():
    executor = ThreadPoolExecutor(max_workers=3)
    made = [executor.submit(pow, 2, n) for n in range(10)]
    threads = set(executor._threads)
    gone = weakref.ref(executor)
    del executor
    gc.collect()
    assert gone() is None
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert [one.result() for one in made] == [2 ** n for n in range(10)]


def test_shutting_down_from_a_call(executor):
    def call():
        executor.shutdown()

    with pytest.raises(RuntimeError, match="current thread"):
        executor.submit(call).result()
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, 1)


def test_calls_let_go_of_what_they_were_given(executor):
    class Thing:
        pass

    thing = Thing()
    gone = weakref.ref(thing)
    executor.submit(lambda _: None, thing).result()
    del thing
    executor.submit(abs, 1).result()
    deadline = time.monotonic() + 30
    while gone() is not None and time.monotonic() < deadline:
        time.sleep(0.001)
    assert gone() is None


def test_exit_waits_for_what_is_queued():
    done = run_program("""\
import time
from plait import ThreadPoolExecutor
executor = ThreadPoolExecutor(max_workers=2)
def call(n):
    time.sleep(0.01)
    print(f"{n}\\n", end="", flush=True)
for n in range(20):
    executor.submit(call, n)
""")
    assert done.stderr == ""
    assert done.returncode == 0
    assert sorted(map(int, done.stdout.split())) == list(range(20))


def test_a_forked_child_has_threads_of_its_own(executor):
    assert executor.submit(os.getpid).result() == os.getpid()
    child = os.fork()
    if child == 0:
        own = executor.submit(os.getpid).result(30) == os.getpid()
        os._exit(0 if own else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert executor.submit(os.getpid).result() == os.getpid()


def test_a_call_may_fork():
    """The child's executor has other threads; the one that forked goes on in
    the parent."""
    def call():
        child = os.fork()
        if child == 0:
            own = executor.submit(os.getpid).result(30) == os.getpid()
            os._exit(0 if own else 1)
        return os.waitpid(child, 0)[1]

    with ThreadPoolExecutor(max_workers=1) as executor:
        assert executor.submit(call).result(60) == 0
        assert executor.submit(abs, -1).result(30) == 1


def test_many_threads_may_wait_for_a_result(executor):
    go = threading.Event()
    future = executor.submit(go.wait, 30)
    found = []
    threads = [threading.Thread(target=lambda: found.append(future.result()))
               for _ in range(8)]
    for thread in threads:
        thread.start()
    with pytest.raises(futures.TimeoutError):
        future.result(timeout=0.01)
    assert futures.wait([future], timeout=0.01).not_done == {future}
    go.set()
    for thread in threads:
        thread.join(30)
    assert found == [True] * 8


def test_a_call_is_cancelled_while_somebody_waits_for_it():
    go = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as executor:
        executor.submit(go.wait, 30)
        future = executor.submit(abs, -1)
        raised = []

        def wait():
            try:
                future.result()
            except futures.CancelledError as error:
                raised.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while not future.__dict__.get("_told"):
            time.sleep(0.001)
        assert future.cancel()
        thread.join(30)
        assert not thread.is_alive()
        assert len(raised) == 1
        go.set()


def test_a_future_says_what_one_of_the_standard_library_does(executor):
    go = threading.Event()
    told = []
    running = executor.submit(go.wait, 30)
    running.add_done_callback(told.append)
    while not running.running():
        time.sleep(0.001)
    assert not running.cancel()
    go.set()
    assert running.result() is True
    failed = executor.submit(divmod, 1, 0)
    with pytest.raises(ZeroDivisionError) as raised:
        failed.result()
    assert failed.exception() is raised.value
    failed.add_done_callback(told.append)
    assert told == [running, failed]
    assert "raised ZeroDivisionError" in repr(failed)
    assert not failed.cancel() and failed.done() and not failed.cancelled()
    with pytest.raises(AttributeError, match="nothing"):
        running.nothing  # noqa: B018


@pytest.mark.parametrize("limit", [1, 5])
def test_idle_workers_make_calls_that_come_late(limit):
    """They wait a moment, or for ever; graphs may run in between."""
    with ThreadPoolExecutor(max_workers=limit) as executor:
        for pause in (0, 0.0005, 0.001, 0.002, 0.02) * 5:
            assert executor.submit(abs, -1).result(30) == 1
            time.sleep(pause)
            assert delayed(abs)(-2).compute(pool=executor) == 2
            assert list(executor.map(abs, range(3), timeout=30)) == [0, 1, 2]


def no_more_threads(self):
    raise RuntimeError("can't start new thread")


def test_no_thread_can_be_begun(monkeypatch):
    """The call is refused; it is as if it had not been tried."""
    executor = ThreadPoolExecutor(max_workers=3)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        with pytest.raises(RuntimeError, match="begun"):
            executor.submit(abs, -1)
    assert executor.submit(abs, -2).result(30) == 2
    executor.shutdown()


def test_no_other_thread_can_be_begun(monkeypatch):
    """The threads that are there make the calls."""
    go = threading.Event()
    executor = ThreadPoolExecutor(max_workers=3)
    waiting = executor.submit(go.wait, 30)
    while not waiting.running():
        time.sleep(0.001)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_more_threads)
        late = executor.submit(abs, -1)
    go.set()
    assert waiting.result(30) and late.result(30) == 1
    executor.shutdown()


class Hit(Exception):
    """What the handler of a signal raises."""


@pytest.fixture
def hit_threads(monkeypatch):
    """A signal comes while the first thread is begun."""
    hits = [Hit()]

    class Thread(threading.Thread):
        def start(self):
            if hits:
                raise hits.pop()
            super().start()

    monkeypatch.setattr(threading, "Thread", Thread)


def test_a_signal_while_a_thread_is_begun(hit_threads):
    with ThreadPoolExecutor(max_workers=1) as executor:
        with pytest.raises(Hit):
            executor.submit(int)
        assert executor.submit(int, "7").result(timeout=30) == 7


HIT = """
import threading, time
import plait
hits = [LookupError("hit")]
class Thread(threading.Thread):
    def start(self):
        if hits:
            raise hits.pop()
        super().start()
threading.Thread = Thread
try:
    print(plait.compute(plait.delayed(time.sleep)(0.5), num_workers=3))
except LookupError as hit:
    print(hit)
"""


def test_a_signal_while_a_run_begins_threads():
    """In a process of its own, whose threads there are not yet."""
    done = subprocess.run([sys.executable, "-c", HIT], timeout=60,
                          capture_output=True, text=True, check=True)
    assert done.stdout == "hit\n"


def test_a_signal_while_a_worker_is_sent(executor):
    class Lock:
        __enter__ = int

        def __exit__(self, *raised):
            raise Hit

    executor._queue.lock = Lock()
    with pytest.raises(Hit):
        executor.submit(int)
    executor._queue.lock = threading.Lock()
    assert executor.submit(int, "7").result(timeout=30) == 7
    executor.shutdown()
    assert executor._queue.workers == 0


def test_many_threads_may_submit(executor):
    sums = []

    def submit():
        made = [executor.submit(abs, -1) for _ in range(500)]
        sums.append(sum(one.result() for one in made))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == [500] * 8


def test_processes_are_not_there_yet():
    with pytest.raises(NotImplementedError, match="ThreadPoolExecutor"):
        plait.ProcessPoolExecutor(max_workers=5)


def test_more_workers_than_a_pool_can_have():
    """Calls beyond them wait."""
    going = threading.Event()
    with ThreadPoolExecutor(2**40) as executor:
        waiting = [executor.submit(going.wait, 60) for _ in range(1100)]
        going.set()
        assert all(future.result() for future in waiting)
