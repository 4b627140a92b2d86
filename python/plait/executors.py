# SPDX-License-Identifier: BSD-3-Clause
"""Executors of ``concurrent.futures``, on Plait's threads.

Calls wait in a queue. A worker of the pool is sent to it when a call comes and
not all are there already; it makes calls until there are none left, then waits
for the next. So calls in a row cost the engine nothing. The pool's threads may
run graphs too: once one was asked for, workers don't wait at the queue for
long.
"""

from __future__ import annotations

import contextvars
import functools
import itertools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures._base import (
    CANCELLED,
    CANCELLED_AND_NOTIFIED,
    FINISHED,
    PENDING,
)
from concurrent.futures.thread import BrokenThreadPool
from logging import getLogger
from typing import Any, NoReturn, TypeVar

from plait import _core

__all__ = ["ProcessPoolExecutor", "ThreadPoolExecutor"]

_T = TypeVar("_T")

# Of a pool.
_MOST_WORKERS = 1024

_BROKEN = (
    "A thread initializer failed, the thread pool is not usable anymore"
)

_CLOSED = (RuntimeError, "cannot schedule new futures after shutdown")

_EXITING = (
    RuntimeError,
    "cannot schedule new futures after interpreter shutdown",
)


class _Here(threading.local):
    """Of a worker's thread: what calls set there, and who has prepared it."""

    context: contextvars.Context | None = None


class _Future(Future[_T]):
    """Has no parts but those that somebody asked for: most are given a result
    by a worker, and asked for that."""

    _state = PENDING
    _result: _T | None = None
    _exception: BaseException | None = None
    _told: list[threading.Lock]  # of those who wait in result()

    __init__ = object.__init__

    def __getattr__(self, name: str) -> Any:
        make = _PARTS.get(name)
        if make is None:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )
        return self.__dict__.setdefault(name, make())

    def result(self, timeout: float | None = None) -> _T:
        if self._state not in _OVER:
            self._wait(timeout)
        if self._state == FINISHED and self._exception is None:
            return self._result  # type: ignore[return-value]
        # Raises what there is to be raised.
        return super().result(0)

    def cancel(self) -> bool:
        return self._state != FINISHED and super().cancel()

    def _wait(self, timeout: float | None) -> None:
        told = threading.Lock()
        told.acquire()
        self.__dict__.setdefault("_told", []).append(told)
        # Whoever changes the state tells those who are in the list then.
        if self._state not in _OVER:
            told.acquire(timeout=-1 if timeout is None else max(timeout, 0))

    def _invoke_callbacks(self) -> None:
        for told in self.__dict__.pop("_told", ()):
            told.release()
        super()._invoke_callbacks()  # type: ignore[misc]


_PARTS: dict[str, Callable[[], object]] = {
    "_condition": threading.Condition,
    "_waiters": list,
    "_done_callbacks": list,
}

_OVER = (FINISHED, CANCELLED, CANCELLED_AND_NOTIFIED)


class _Queue(_core.Calls):
    """The calls of an executor, and the threads that make them. It knows no
    executor: when that is gone, what was submitted is still done."""

    def __init__(
        self,
        limit: int,
        prefix: str,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        super().__init__(limit, _Future)
        self.limit = limit
        self.prefix = prefix
        self.initializer = initializer
        self.initargs = initargs
        self.broken: str | bool = False
        self.closing = False
        self._begin()
        _queues.add(self)
        if _exiting:
            self.refuse(_EXITING)

    def _begin(self) -> None:
        """With no thread."""
        self.lock = threading.Lock()  # of the pool
        self.nobody = threading.Event()
        self.threads: set[threading.Thread] = set()
        self.here = _Here()
        self.pool: _core.Pool | None = None

    def after_fork(self) -> None:
        """In a forked child: none of the threads is there."""
        self.renew()
        self._begin()

    def _open(self) -> _core.Pool:
        """For a worker that is sent, and counted already."""
        with self.lock:
            return self.open(self.workers)

    def _nobody(self) -> None:
        """The last worker is gone."""
        nobody, self.nobody = self.nobody, threading.Event()
        nobody.set()

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
        try:
            self.threads.add(thread)
            thread.start()
        finally:
            if thread.ident is None:  # there can be no more threads
                self.threads.discard(thread)

    def stop(self) -> None:
        """Takes no more calls. Anywhere: no lock is taken."""
        if not (self.broken or self.closing):
            self.refuse(_EXITING if _exiting else _CLOSED)
        self.closing = True

    def fail(self) -> None:
        """A thread's initializer failed: so do all calls."""
        self.broken = _BROKEN
        self.refuse((BrokenThreadPool, _BROKEN))
        for future in self.withdraw(True):
            if future.set_running_or_notify_cancel():
                future.set_exception(BrokenThreadPool(_BROKEN))

    def close(self) -> None:
        """Waits until all is done, and ends the threads."""
        self.stop()
        self.rouse()
        while True:
            nobody = self.nobody  # before it is asked for: it is set once
            if not self.workers:
                break
            nobody.wait()
        with self.lock:
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
    here.context.run(queue.serve)


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
    queue.fail()
    queue.leave()
    return False


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
    queue.stop()
    _close_later(queue)


class ThreadPoolExecutor(Executor):
    """Calls functions on threads: what ``concurrent.futures`` has under that
    name, on Plait's pool.

    ``compute(…, pool=executor)`` runs graphs on the same threads.

    Parameters
    ----------
    max_workers : int, optional
        How many calls are made at one time; above 1,024, so many.
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
        limit = min(max_workers, _MOST_WORKERS)
        self._queue = _Queue(limit, prefix, initializer, initargs)
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
        return self._queue.put(fn, args, kwargs)

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
        queue.stop()
        if cancel_futures:
            for future in queue.withdraw(False):
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
            queue.share()
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
        queue.after_fork()


# Before the end of threads that are no daemons, as concurrent.futures does:
# functions of atexit find all done, and can submit no more.
threading._register_atexit(_exit)  # type: ignore[attr-defined]
os.register_at_fork(after_in_child=_after_fork)
