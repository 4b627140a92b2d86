# SPDX-License-Identifier: BSD-3-Clause
"""Executors of ``concurrent.futures``, on Plait's threads.

Calls wait in a queue. A worker of the pool is sent to it when a call comes and
not all are there already; it makes calls until there are none left. So a call
in a row costs the engine nothing, and the pool's threads may run graphs too.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.thread import BrokenThreadPool
from logging import getLogger
from typing import Any, NoReturn, TypeVar

from plait import _core

__all__ = ["ProcessPoolExecutor", "ThreadPoolExecutor"]

_T = TypeVar("_T")

_Call = tuple["Future[Any]", Callable[..., Any], tuple[Any, ...], Any]

# A worker looks for other work of its pool this often, in seconds.
_TURN = 0.01

_BROKEN = (
    "A thread initializer failed, the thread pool is not usable anymore"
)


class _Here(threading.local):
    """Of a worker's thread: what calls set there, and who has prepared it."""

    context: contextvars.Context | None = None


class _Queue:
    """Calls that wait, and who makes them. It knows no executor: when that is
    gone, what was submitted is still done."""

    def __init__(
        self,
        limit: int,
        prefix: str,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        self.limit = limit
        self.prefix = prefix
        self.initializer = initializer
        self.initargs = initargs
        self.broken: str | bool = False
        self.closing = False
        self.renew()
        _queues.add(self)

    def renew(self) -> None:
        """With no thread, as at first and in a forked child."""
        # Held for moments, and over no code of anybody else's.
        self.lock = threading.Lock()
        self.nobody = threading.Condition(self.lock)
        self.calls: deque[_Call] = deque()
        self.begun: deque[_Call] = deque()  # a worker is on its way to each
        self.workers = 0  # at the queue, or on their way
        self.threads: set[threading.Thread] = set()
        self.here = _Here()
        self.pool: _core.Pool | None = None

    def put(self, call: _Call) -> None:
        with self.lock:
            if self.broken:
                raise BrokenThreadPool(self.broken)
            if self.closing:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if _exiting:
                raise RuntimeError(
                    "cannot schedule new futures after interpreter shutdown"
                )
            if self.workers < self.limit:
                self.send()
                self.begun.append(call)
            else:
                self.calls.append(call)

    def send(self) -> None:
        """Under the lock: one more worker."""
        self.open(self.workers + 1)._send_worker()
        self.workers += 1

    def open(self, workers: int) -> _core.Pool:
        """Under the lock: the pool, with so many threads at least."""
        if self.pool is None:
            self.pool = _core.open_executor(
                "threads", workers, self.begin, functools.partial(_work, self)
            )
        elif len(self.threads) < workers:
            self.pool._grow(workers)
        return self.pool

    def begin(self, main: Callable[[], None], number: int) -> None:
        """Begins a thread of the pool."""
        thread = threading.Thread(
            target=main, name=f"{self.prefix}_{number}", daemon=True
        )
        self.threads.add(thread)
        thread.start()

    def yields(self) -> bool:
        """Whether a worker may go, as another comes behind what else the pool
        has to do."""
        try:
            assert self.pool is not None
            self.pool._send_worker()
        except (MemoryError, RuntimeError):
            return False
        return True

    def leave(self) -> bool:
        """Whether a worker that found nothing may go."""
        with self.lock:
            if self.begun or self.calls:
                return False
            self.workers -= 1
            if self.workers == 0:
                self.nobody.notify_all()
            return True

    def next(self) -> _Call | None:
        """The call that waits longest, taken out."""
        for waiting in (self.begun, self.calls):
            try:
                return waiting.popleft()
            except IndexError:
                continue
        return None

    def close(self) -> None:
        """Waits until all is done, and ends the threads."""
        with self.lock:
            while self.workers:
                self.nobody.wait()
            pool, self.pool = self.pool, None
        if pool is not None:
            _core.close_executor(pool)
        for thread in list(self.threads):
            thread.join()


def _work(queue: _Queue) -> None:
    """What a worker is sent to."""
    here = queue.here
    if here.context is None:
        here.context = contextvars.Context()
        if not here.context.run(_prepare, queue):
            return
    here.context.run(_make_calls, queue)


def _prepare(queue: _Queue) -> bool:
    """Calls the initializer of a thread; whether that worked."""
    if queue.initializer is None:
        return True
    try:
        queue.initializer(*queue.initargs)
    except BaseException:
        log = getLogger("concurrent.futures")
        log.critical("Exception in initializer:", exc_info=True)
    else:
        return True
    queue.broken = _BROKEN
    while not queue.leave():
        call = queue.next()
        if call is not None and call[0].set_running_or_notify_cancel():
            call[0].set_exception(BrokenThreadPool(_BROKEN))
    return False


def _make_calls(queue: _Queue) -> None:
    until = time.monotonic() + _TURN
    while True:
        call = queue.next()
        if call is None:
            if queue.leave():
                return
            continue
        _make(*call)
        del call
        if time.monotonic() > until:
            if queue.yields():
                return
            until += _TURN


def _make(
    future: Future[Any],
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*args, **kwargs)
    except BaseException as exception:
        future.set_exception(exception)
        # The exception has this frame, and the future has the exception.
        del future
    else:
        future.set_result(result)


def _close_later(queue: _Queue) -> None:
    """Ends the threads when all is done, without waiting for that."""
    if queue.pool is None:
        return
    try:
        threading.Thread(
            target=queue.close, name="plait-closer", daemon=True
        ).start()
    except RuntimeError:  # the interpreter ends, and so do they
        return


def _lost(queue: _Queue, _: object) -> None:
    """Nobody has the executor any more. Anywhere, so that no lock is taken."""
    queue.closing = True
    _close_later(queue)


class ThreadPoolExecutor(Executor):
    """Calls functions on threads: what ``concurrent.futures`` has under that
    name, on Plait's pool.

    ``compute(…, pool=executor)`` runs graphs on the same threads.

    Parameters
    ----------
    max_workers : int, optional
        How many calls are made at one time.
    thread_name_prefix : str
        What the names of the threads begin with.
    initializer : callable, optional
        Called in each thread first.
    initargs : tuple
        Its arguments.

    Examples
    --------
    >>> from plait import ThreadPoolExecutor
    >>> with ThreadPoolExecutor(max_workers=5) as executor:
    ...     list(executor.map(abs, range(-3, 3)))
    [3, 2, 1, 0, 1, 2]
    """

    _counter = itertools.count().__next__

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
    ) -> None:
        if max_workers is None:
            max_workers = min(32, (_cpu_count() or 1) + 4)
        if max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        prefix = thread_name_prefix or (
            f"ThreadPoolExecutor-{ThreadPoolExecutor._counter()}"
        )
        self._max_workers = max_workers
        self._queue = _Queue(max_workers, prefix, initializer, initargs)
        self._end = weakref.finalize(self, _lost, self._queue, None)
        self._end.atexit = False

    def submit(
        self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any
    ) -> Future[_T]:
        """Have ``fn(*args, **kwargs)`` called.

        Parameters
        ----------
        fn : callable
            What to call.
        *args, **kwargs
            Its arguments.

        Returns
        -------
        Future
            To wait for, and to ask.
        """
        future: Future[_T] = Future()
        self._queue.put((future, fn, args, kwargs))
        return future

    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        **kwargs: Any,
    ) -> Iterator[_T]:
        """The results of ``fn`` for each item, in order.

        Parameters
        ----------
        fn : callable
            What to call.
        *iterables
            Its arguments, one of each.
        timeout : float, optional
            Seconds that may pass from now on until a result is there.
        chunksize : int
            How many calls are made in a row by one thread: more are cheaper.
        **kwargs
            What newer versions of Python have.

        Returns
        -------
        iterator
            The results. It raises what a call raised, in its place.
        """
        if chunksize == 1:
            return super().map(fn, *iterables, timeout=timeout, **kwargs)
        if chunksize < 1:
            raise ValueError("chunksize must be >= 1.")
        chunks = super().map(
            functools.partial(_chunk, fn),
            _chunks(zip(*iterables), chunksize),
            timeout=timeout,
            **kwargs,
        )
        return _opened(chunks)

    def shutdown(
        self, wait: bool = True, *, cancel_futures: bool = False
    ) -> None:
        """Take no more calls, and end the threads when all are done.

        Parameters
        ----------
        wait : bool
            Whether to return only then.
        cancel_futures : bool
            Whether calls that have not begun are cancelled.
        """
        queue = self._queue
        with queue.lock:
            queue.closing = True
        while cancel_futures and queue.calls:
            try:
                future = queue.calls.popleft()[0]
            except IndexError:  # a worker was faster
                break
            future.cancel()
        if not wait:
            _close_later(queue)
            return
        if threading.current_thread() in queue.threads:
            _close_later(queue)
            raise RuntimeError("cannot join current thread")
        queue.close()

    @property
    def _threads(self) -> set[threading.Thread]:
        return self._queue.threads

    @property
    def _broken(self) -> str | bool:
        return self._queue.broken

    @property
    def _shutdown(self) -> bool:
        return self._queue.closing

    @property
    def _pool(self) -> _core.Pool | None:
        """For graphs: with all its threads."""
        queue = self._queue
        with queue.lock:
            if queue.closing or queue.broken or _exiting:
                return None
            return queue.open(queue.limit)


def _chunks(
    items: Iterator[tuple[Any, ...]], size: int
) -> Iterator[list[tuple[Any, ...]]]:
    while chunk := list(itertools.islice(items, size)):
        yield chunk


def _chunk(
    function: Callable[..., _T], items: list[tuple[Any, ...]]
) -> tuple[list[_T], BaseException | None]:
    """The results of several calls, up to one that failed."""
    results: list[_T] = []
    try:
        for args in items:
            results.append(function(*args))
    except BaseException as exception:
        return results, exception
    return results, None


def _opened(
    chunks: Iterator[tuple[list[_T], BaseException | None]],
) -> Iterator[_T]:
    for results, exception in chunks:
        yield from results
        if exception is not None:
            raise exception


class ProcessPoolExecutor(Executor):
    """Not there yet: Plait's worker processes can't run Python functions.

    Raises
    ------
    NotImplementedError
        Always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(
            "plait.ProcessPoolExecutor is not there yet: Plait has no worker "
            "processes for Python functions. Use plait.ThreadPoolExecutor, or "
            "concurrent.futures.ProcessPoolExecutor"
        )


def _cpu_count() -> int | None:
    count: int | None = getattr(os, "process_cpu_count", os.cpu_count)()
    return count


# ---- the end of the process, and forks ----

_queues: weakref.WeakSet[_Queue] = weakref.WeakSet()
_exiting = False


def _exit() -> None:
    """What was submitted is done before the interpreter ends."""
    global _exiting
    _exiting = True
    for queue in list(_queues):
        queue.close()


def _after_fork() -> None:
    """The child has none of the threads; what waits is the parent's."""
    for queue in list(_queues):
        queue.renew()


# Before the end of threads that are no daemons, as concurrent.futures does:
# functions of atexit find all done, and can submit no more.
threading._register_atexit(_exit)  # type: ignore[attr-defined]
os.register_at_fork(after_in_child=_after_fork)
