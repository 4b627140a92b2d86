# SPDX-License-Identifier: BSD-3-Clause
"""Running on somebody else's pool: an Executor, or a Pool of multiprocessing.

Plait runs the graph as ever, with a thread for each task that may run at one
time; but a task's function is handed to the pool, and its thread waits. So
failures, retries and callbacks are what they are on Plait's own threads.
"""

from __future__ import annotations

import contextvars
import importlib
import os
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any

from plait import _core, config
from plait.refs import calls, filled
from plait.walking import walk

__all__ = ["Get", "is_executor", "lend", "limit", "plait_pool"]

_Call = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


def is_executor(thing: object) -> bool:
    """Whether this is an Executor, or a Pool of multiprocessing."""
    return _sends(thing) is not None or plait_pool(thing) is not None


def plait_pool(thing: object) -> _core.Pool | None:
    """The threads of an executor of Plait's own; None: it is another's."""
    if isinstance(thing, _core.Pool):
        return thing
    pool = getattr(thing, "_pool", None)
    return pool if isinstance(pool, _core.Pool) else None


class Get:
    """``get(dsk, keys)`` on an executor: what a scheduler is to Dask."""

    def __init__(self, executor: Any) -> None:
        self.executor = executor

    def __call__(
        self, dsk: Mapping[Any, Any], keys: Any, **kwargs: Any
    ) -> Any:
        local = importlib.import_module("plait.local")
        return local.get_with(self.executor, dsk, keys, kwargs)


def limit(executor: Any) -> int:
    """How many calls the pool makes at one time; 0: it doesn't say."""
    for name in ("_max_workers", "_processes"):
        found = getattr(executor, name, None)
        if isinstance(found, int) and found > 0:
            return found
    return config.get("num_workers", 0) or os.cpu_count() or 1


def lend(
    targets: list[_core.Delayed], executor: Any
) -> list[_core.Delayed]:
    """The same tasks, with each call handed to the pool.

    Parameters
    ----------
    targets : list of Delayed
        What is to be computed.
    executor
        Where the calls are made.

    Returns
    -------
    list of Delayed
        One for each target, with the same keys.
    """
    send = _sends(executor)
    assert send is not None, executor
    made: dict[Any, _core.Delayed] = {}
    options = _options(targets)
    for key, (function, args, kwargs) in calls(targets).items():
        if function is None:
            function, args = _Value(args[0]), ()
        else:
            function = _Lent(send, function)
        # Pure: what has the same key is the same task, as it was before.
        call = _core.delayed(function, pure=True, **options.get(key, {}))
        made[key] = call(
            *filled(args, lambda ref: made[ref.key]),
            **filled(kwargs, lambda ref: made[ref.key]),
            dask_key_name=key,
        )
    return [made[target.key] for target in targets]


class _Lent:
    """A function that is called elsewhere."""

    def __init__(self, send: _Call, function: Any) -> None:
        self._send = send
        self._function = function
        self.__name__ = getattr(function, "__name__", "task")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._send(self._function, args, kwargs)


class _Value:
    """A value, whatever it is, as a call: a Delayed is not looked into."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __call__(self) -> Any:
        return self._value


def _options(targets: list[_core.Delayed]) -> dict[Any, dict[str, Any]]:
    """What is said about single tasks, by key."""
    found = {}
    for task in walk(targets):
        options = _core.options(task)
        options.pop("annotations", None)
        if options:
            found[task.key] = options
    return found


def _sends(executor: Any) -> _Call | None:
    """How to have a call made by that pool; None: it is no pool."""
    threads = sys.modules.get("concurrent.futures")
    if threads and isinstance(executor, threads.Executor):

        def submit(
            function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
        ) -> Any:
            return executor.submit(function, *args, **kwargs).result()

        return _Calls(submit, _leaves_process(executor))
    pool = sys.modules.get("multiprocessing.pool")
    if pool and isinstance(executor, pool.Pool):
        own = isinstance(executor, pool.ThreadPool)
        return _Calls(executor.apply, not own)
    return None


def _leaves_process(executor: Any) -> bool:
    process = sys.modules.get("concurrent.futures.process")
    if process is None:
        return False
    return isinstance(executor, process.ProcessPoolExecutor)


class _Calls:
    """Makes calls there, and waits for each."""

    def __init__(self, call: Callable[..., Any], pickled: bool) -> None:
        self._call = call
        self._pickled = pickled

    def __call__(
        self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self._pickled:
            sent = _dumps((function, args, kwargs))
            return self._call(_call_pickled, (sent,), {})
        run = contextvars.copy_context().run
        return self._call(run, (function, *args), kwargs)


def _dumps(call: object) -> bytes:
    # Functions of the main program and lambdas go by value.
    cloudpickle = importlib.import_module("cloudpickle")
    made: bytes = cloudpickle.dumps(call)
    return made


def _call_pickled(sent: bytes) -> Any:
    """Makes a call in another process."""
    function, args, kwargs = pickle.loads(sent)
    return function(*args, **kwargs)
