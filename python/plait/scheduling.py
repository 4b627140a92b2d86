# SPDX-License-Identifier: BSD-3-Clause
"""Which scheduler runs a computation.

In this order: the argument ``scheduler=``; what is configured (see
``plait.config``); the active client of ``distributed``, if that is loaded; the
default that the collections have; threads.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from plait import borrowed, config, local, multiprocessing, threaded
from plait.spelling import outside, suggest

__all__ = ["get_scheduler", "named_schedulers"]

Get = Callable[..., Any]

#: Functions ``get(dsk, keys, **kwargs)`` by name. Names can be added.
named_schedulers: dict[str, Get] = {
    "sync": local.get_sync,
    "synchronous": local.get_sync,
    "single-threaded": local.get_sync,
    "threads": threaded.get,
    "threading": threaded.get,
    "processes": multiprocessing.get,
    "multiprocessing": multiprocessing.get,
    "plait": threaded.get,
}

_DISTRIBUTED = ("distributed", "dask.distributed")

_NO_GET = """\
The get= keyword has been removed.

Please use the scheduler= keyword instead, with the name of a scheduler

    x.compute(scheduler="threads")
    x.compute(scheduler="sync")

or with a function that takes a graph and keys

    x.compute(scheduler=my_scheduler)

or with a client of dask.distributed

    x.compute(scheduler=client)"""


def get_scheduler(
    get: object = None,
    scheduler: Any = None,
    collections: Iterable[Any] | None = None,
    cls: Any = None,
) -> Get | None:
    """The function that runs graphs, as all that is said and set has it.

    Parameters
    ----------
    get
        Must be left out: Dask had this argument once.
    scheduler : str, callable, Client or Executor, optional
        What was asked for.
    collections : iterable, optional
        What is to be computed. It has a default.
    cls : type, optional
        A collection's type, instead.

    Returns
    -------
    callable or None
        ``get(dsk, keys, **kwargs)``. None: nobody said anything.

    Raises
    ------
    TypeError
        ``get`` was given.
    ValueError
        There is no such scheduler, or the collections have different defaults.
    RuntimeError
        A client is needed, and there is none that can be used.
    """
    if get:
        raise TypeError(_NO_GET)
    if scheduler is None:
        scheduler = config.get("scheduler", None)
    if scheduler is not None:
        return _named(scheduler)
    client = _active_client()
    if client is not None:
        return _get_of(client)
    if cls is not None:
        default: Get = cls.__dask_scheduler__
        return default
    return _common_default(collections or ())


def _named(scheduler: Any) -> Get:
    """The function that somebody meant by this."""
    if isinstance(scheduler, str):
        return _by_name(scheduler)
    # Executors before callables: some executors can be called.
    if borrowed.is_executor(scheduler):
        return borrowed.Get(scheduler)
    if callable(scheduler):
        made: Get = scheduler
        return made
    if "Client" in type(scheduler).__name__ and hasattr(scheduler, "get"):
        return _get_of(scheduler)
    raise ValueError(f"Unexpected scheduler: {scheduler!r}")


def _by_name(scheduler: str) -> Get:
    name = scheduler.lower()
    if name in named_schedulers:
        return named_schedulers[name]
    if name in _DISTRIBUTED:
        client = _active_client()
        if client is None:
            raise RuntimeError(
                f"Requested {name} scheduler but no Client active. Plait "
                "can't connect by itself yet: make a "
                "dask.distributed.Client first"
            )
        return _get_of(client)
    theirs = getattr(sys.modules.get("dask.base"), "named_schedulers", {})
    if name in theirs:
        found: Get = theirs[name]
        return found
    names = sorted(named_schedulers)
    raise ValueError(
        f"Expected one of [distributed, {', '.join(names)}], not "
        f"{scheduler!r}{suggest(name, (*names, *_DISTRIBUTED))}"
    )


def _active_client() -> Any:
    """The client that distributed would use here; None: there is none."""
    get_client = getattr(sys.modules.get("distributed"), "get_client", None)
    if get_client is None:
        return None
    try:
        return get_client()
    except ValueError:
        return None


def _get_of(client: Any) -> Get:
    if not client.asynchronous:
        found: Get = client.get
        return found
    theirs = getattr(sys.modules.get("dask.config"), "get", None)
    fallback = theirs("admin.async-client-fallback", None) if theirs else None
    if fallback is None:
        raise RuntimeError(
            "Attempting to use an asynchronous Client in a synchronous "
            "context of `plait.compute`"
        )
    warnings.warn(
        "Distributed Client detected but Client instance is asynchronous. "
        f"Falling back to `{fallback}` scheduler.",
        UserWarning,
        stacklevel=outside(),
    )
    return _named(fallback)


def _common_default(collections: Iterable[Any]) -> Get | None:
    defaults = [
        one.__dask_scheduler__ for one in collections if one is not None
    ]
    if not defaults:
        return None
    first: Get = defaults[0]
    if any(one is not first and one != first for one in defaults):
        raise ValueError(
            "Compute called on multiple collections with differing default "
            "schedulers. Please specify a scheduler= parameter explicitly in "
            "compute or globally with `plait.config.set`."
        )
    return first
