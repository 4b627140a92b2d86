# SPDX-License-Identifier: BSD-3-Clause
"""Computing, persisting, optimizing and drawing what was delayed."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from plait import (
    _core,
    arguments,
    borrowed,
    callbacks,
    collection,
    config,
    daskgraph,
    local,
    logs,
    multiprocessing,
    threaded,
)
from plait.adoption import Finalize, is_dask_collection
from plait.annotations import annotate, follow_dask, get_annotations
from plait.scheduling import get_scheduler, named_schedulers
from plait.tokenize import normalize_token, tokenize

__all__ = [
    "annotate",
    "compute",
    "get_annotations",
    "get_scheduler",
    "is_dask_collection",
    "named_schedulers",
    "normalize_token",
    "optimize",
    "persist",
    "start",
    "tokenize",
    "visualize",
]

_Finish = Callable[[Any], tuple[Any, ...]]

if TYPE_CHECKING:

    def compute(
        *args: Any,
        traverse: bool = True,
        optimize_graph: bool = True,
        scheduler: Any = None,
        num_workers: int | None = None,
        pool: Any = None,
        on_error: str | None = None,
        retries: int | None = None,
        timeout: float | None = None,
        run_timeout: float | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Compute several values at once.

        Parameters
        ----------
        *args
            Delayeds, collections of Dask, or containers of them, nested as they
            like. Anything else is returned as it is.
        traverse : bool
            Whether containers are looked into.
        optimize_graph : bool
            For other schedulers: whether they optimize.
        scheduler : str, callable, Client or Executor, optional
            ``"threads"``, ``"sync"``, …: see ``plait.base.get_scheduler``.
        num_workers : int, optional
            How many tasks run at one time; by default, as many as there are
            CPUs.
        pool : Executor, optional
            Where the functions are called.
        on_error : {"finish", "stop", "collect"}
            When a task fails: finish what doesn't need it, then raise; raise at
            once; or raise nothing, and put a ``Failure`` where there is no
            value.
        retries : int, optional
            How often a task that failed runs again.
        timeout, run_timeout : float, optional
            The seconds that a task, and the whole, may take.

        Returns
        -------
        tuple
            A value for each argument.
        """
        ...

else:
    # In C, so that no frame of ours is in the traceback of what a task raised.
    compute = _core.compute_args


def prepare(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Sequence[_core.Delayed] | None, dict[str, Any], _Finish]:
    """What ``compute(*args, **kwargs)`` has to do.

    Returns
    -------
    targets : sequence of Delayed, or None
        What to run; None: nothing here.
    settings : dict
        How; for ``plait._core.compute``.
    finish : callable
        Makes the result of the targets' values.
    """
    usual = _usual_settings(args, kwargs)
    if usual is not None:
        return args, usual, tuple
    said = arguments.said(kwargs)
    if len(said) > len(arguments.DEFAULTS):
        arguments.warn_of_unknown(kwargs)
    targets, finish = _targets(args, said["traverse"])
    if not targets:
        return None, {}, lambda _: finish(())
    silent = config.is_silent()
    engine, executor = _engine(said, [*_others(args), targets[0]])
    if engine is None:
        run = functools.partial(_elsewhere, executor, targets, kwargs)
        return None, {}, lambda _: finish(run())
    logs.watch()
    settings = arguments.settings_of(said, silent)
    pool = None if executor is None else borrowed.plait_pool(executor)
    if pool is not None:
        settings["executor"] = pool
    elif executor is not None:
        targets = borrowed.lend(targets, executor)
        settings.setdefault("workers", borrowed.limit(executor))
    settings["scheduler"] = engine
    targets, settings["callbacks"], more = callbacks.begun(
        targets, said["callbacks"]
    )
    if more:
        settings["observers"] = [*settings["observers"], *more]
    return targets, settings, finish


def _usual_settings(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Any] | None:
    """The settings where little is said and set: a scheduler of ours by its
    name, and how many workers. None: there is more to it."""
    if not _core.are_delayeds(args) or not kwargs.keys() <= _USUAL:
        return None
    if not config.is_silent(but=_USUAL) or callbacks.are_any():
        return None
    scheduler = _said(kwargs, "scheduler")
    workers = _said(kwargs, "num_workers")
    engine = _usual_engine(scheduler)
    if engine is None:
        return None
    logs.watch()
    settings: dict[str, Any] = {}
    if scheduler is not None:
        settings["scheduler"] = engine
    if workers is not None:
        settings["workers"] = arguments.count(workers)
    return settings


def _said(kwargs: dict[str, Any], name: str) -> Any:
    """What is said, or else set in the config; None: nothing."""
    said = kwargs.get(name)
    return config.config.get(name) if said is None else said


_USUAL = frozenset(("scheduler", "num_workers"))


def _usual_engine(scheduler: Any) -> str | None:
    """The name of the engine that runs Delayeds; None: it is to be searched
    for."""
    follow_dask()
    if scheduler is None:
        # distributed may have a client
        loaded = sys.modules.get("distributed") is not None
        return None if loaded else "threads"
    get = named_schedulers.get(scheduler) if type(scheduler) is str else None
    if get is local.get_sync:
        return "sync"
    return "threads" if get is threaded.get else None


def start(*args: Any, **kwargs: Any) -> _core.Run:
    """Compute in the background.

    Parameters
    ----------
    *args
        Delayeds.
    **kwargs
        As for :func:`compute`.

    Returns
    -------
    Run
        To wait for, to ask, to cancel.
    """
    said = arguments.said(kwargs)
    if not args:
        return _core.start([])
    for one in args:
        if not isinstance(one, _core.Delayed):
            raise TypeError(
                f"start() takes Delayeds, not {type(one).__name__}"
            )
    targets, settings, _ = prepare(args, {**kwargs, "traverse": False})
    if targets is None:
        raise ValueError(
            f"start() can't use scheduler={said['scheduler']!r}: it needs "
            "threads of this process"
        )
    try:
        with callbacks.in_background(settings["callbacks"]):
            return _core.start(targets, **settings)
    except BaseException:
        callbacks.abandon(settings["callbacks"])
        raise


def persist(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
    """Compute now, and keep the values as Delayeds.

    Parameters
    ----------
    *args
        As for :func:`compute`.
    **kwargs
        As for :func:`compute`.

    Returns
    -------
    tuple
        The arguments, with Delayeds that know their values, and have the same
        keys, in the places of the Delayeds. With a client of distributed they
        are being computed there.
    """
    said = arguments.said(kwargs)
    targets, finish = _targets(args, said["traverse"])
    if not targets:
        return args
    if _are_dask_s(targets):
        get = kwargs.get("scheduler") or collection.__dask_scheduler__
        made = _dask("persist", args, {**kwargs, "scheduler": get})
        return tuple(made)
    engine, elsewhere = _engine(said, [*_others(args), targets[0]])
    client = getattr(elsewhere, "__self__", elsewhere)
    if engine is None and callable(getattr(client, "persist", None)):
        more = {key: kwargs[key] for key in kwargs if key not in arguments.OURS}
        optimize = said["optimize_graph"]
        made = client.persist(targets, optimize_graph=optimize, **more)
        return finish(made)
    values = compute(*targets, **{**kwargs, "traverse": False})
    return finish(
        [
            collection.leaf(target.key, value, target._length)
            for target, value in zip(targets, values)
        ]
    )


def optimize(*args: Any, traverse: bool = True, **kwargs: Any) -> Any:
    """The same, as one graph that they share.

    There is little to be optimized, for Plait runs nothing that isn't needed,
    and runs equal pure tasks once, of itself.

    Parameters
    ----------
    *args
        As for :func:`compute`.
    traverse : bool
        Whether containers are looked into.
    **kwargs
        For Dask's own collections.

    Returns
    -------
    tuple
        The arguments, with Delayeds that have one graph.
    """
    targets, finish = _targets(args, traverse)
    if not targets:
        return args
    if _are_dask_s(targets):
        return _dask("optimize", args, {**kwargs, "traverse": traverse})
    graph = daskgraph.graph_of(targets)
    return finish(
        [
            collection.from_graph(
                type(target),
                target.key,
                graph,
                target._length,
                collection._layer(target),
            )
            for target in targets
        ]
    )


def visualize(
    *args: Any,
    filename: str | None = "plait",
    traverse: bool = True,
    **kwargs: Any,
) -> Any:
    """Draw what the arguments need.

    Parameters
    ----------
    *args
        As for :func:`compute`.
    filename : str, optional
        Where to write the picture; its extension is the format. None: nowhere.
    traverse : bool
        Whether containers are looked into.
    **kwargs
        ``format``, ``color``, … as for ``plait.drawing.visualize``.

    Returns
    -------
    object
        Something that a notebook shows.
    """
    targets, _ = _targets(args, traverse)
    drawing = importlib.import_module("plait.drawing")
    return drawing.visualize(targets, filename=filename, **kwargs)


# ---- what to run ----


def _targets(
    args: tuple[Any, ...], traverse: bool
) -> tuple[list[_core.Delayed], _Finish]:
    """The Delayeds, and what puts their values in their places."""
    if _are_delayeds(args):
        return list(args), tuple
    if traverse:
        found, rebuild = _core.collect(list(args))
        return found, lambda values: tuple(rebuild(values))
    places = [
        place for place, one in enumerate(args) if is_dask_collection(one)
    ]
    found = [_delayed(args[place]) for place in places]
    return found, functools.partial(_put, args, places)


def _are_delayeds(args: tuple[Any, ...]) -> bool:
    # By their types, of which there are few: there may be a million arguments.
    return all(issubclass(kind, _core.Delayed) for kind in set(map(type, args)))


def _others(args: tuple[Any, ...]) -> list[Any]:
    """The arguments that are collections, but no Delayeds."""
    if _are_delayeds(args):
        return []
    return [
        one
        for one in args
        if not isinstance(one, _core.Delayed) and is_dask_collection(one)
    ]


def _put(
    args: tuple[Any, ...], places: list[int], values: Sequence[Any]
) -> tuple[Any, ...]:
    made = list(args)
    for place, value in zip(places, values):
        made[place] = value
    return tuple(made)


def _delayed(one: Any) -> _core.Delayed:
    if isinstance(one, _core.Delayed):
        return one
    return collection.from_collection(one)


def _are_dask_s(targets: list[_core.Delayed]) -> bool:
    """Whether some are parts of Dask's own collections put together."""
    return any(
        _core.label(target) == "finalize"
        and type(_core.graph([target])[target.key][0]) is Finalize
        for target in targets
    )


def _dask(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What Dask does with its own collections, ours among them: they stay
    what they are, but for their graphs."""
    function = getattr(sys.modules.get("dask.base"), name, None)
    if function is None:
        raise TypeError(f"{name}() of other collections needs Dask")
    return function(*args, **kwargs)


# ---- where to run it ----


def _engine(
    said: dict[str, Any], collections: Sequence[Any]
) -> tuple[str | None, Any]:
    """The name of an engine of ours, and the executor it uses, or None; or
    None, and a function of somebody else's."""
    follow_dask()
    get = get_scheduler(said["get"], said["scheduler"], collections)
    if _is(get, local.get_sync):
        return "sync", None
    if isinstance(get, borrowed.Get):
        return "threads", get.executor
    # What Dask's collections have by default is equal to ours; but who asks
    # for dask.threaded.get by itself gets it.
    if get == collection.__dask_scheduler__ and get is not said["scheduler"]:
        get = threaded.get
    processes = _is(get, multiprocessing.get)
    if get is None or processes or _is(get, threaded.get):
        pool = _pool(said["pool"])
        if pool is not None:
            return "threads", pool
        if not processes:
            return "threads", None
    return None, get


def _is(get: Any, ours: Callable[..., Any]) -> bool:
    """Whether it is that function, also of a module before its reload."""
    if get is ours:
        return True
    module = getattr(get, "__module__", None)
    name = getattr(get, "__qualname__", None)
    return module == ours.__module__ and name == ours.__qualname__


def _pool(pool: Any) -> Any:
    if pool is None:
        pool = config.get("pool", None)
    if pool is not None and not borrowed.is_executor(pool):
        raise TypeError(
            "pool must be an Executor or a Pool of multiprocessing, not "
            f"{type(pool).__name__}"
        )
    return pool


def _elsewhere(
    get: Any, targets: list[_core.Delayed], kwargs: dict[str, Any]
) -> Any:
    """The values of the targets, as another scheduler makes them."""
    if kwargs.get("on_error") == "collect":
        raise ValueError(
            "on_error='collect' is for Plait's own schedulers, not for "
            f"{get!r}"
        )
    more = {
        key: value
        for key, value in kwargs.items()
        if key not in arguments.OURS and key not in ("on_error", "run_timeout")
    }
    graph = daskgraph.graph_of(targets)
    return get(graph, [target.key for target in targets], **more)


follow_dask()
