# SPDX-License-Identifier: BSD-3-Clause
"""The cold half of Delayed: what makes it a collection of Dask, and pictures.

The functions are attributes of Delayed, by the same names; the first argument
is the Delayed. Dask is never imported here, only used when it is there.
"""

from __future__ import annotations

import importlib
import sys
import threading
import warnings
import weakref
from collections import OrderedDict
from collections.abc import Generator, Mapping
from typing import Any, NamedTuple

from plait import _core, daskgraph
from plait.adoption import Adopted, adopt, from_collection, from_graph
from plait.spelling import outside

__all__ = ["adopt", "from_collection", "from_graph", "leaf", "rebuild"]


def persist(self: _core.Delayed, **kwargs: Any) -> _core.Delayed:
    """Compute the value now, and return it as a Delayed with the same key.

    Parameters
    ----------
    **kwargs
        As for ``plait.compute``.

    Returns
    -------
    Delayed
    """
    base = importlib.import_module("plait.base")
    (made,) = base.persist(self, traverse=False, **kwargs)
    found: _core.Delayed = made
    return found


def visualize(
    self: _core.Delayed, filename: str | None = "plait", **kwargs: Any
) -> Any:
    """Draw what the value needs. See ``plait.visualize``.

    Parameters
    ----------
    filename : str, optional
        Where to write the picture; None: nowhere.
    **kwargs
        As for ``plait.visualize``.
    """
    drawing = importlib.import_module("plait.drawing")
    return drawing.visualize([self], filename=filename, **kwargs)


def visualise(self: _core.Delayed, *args: Any, **kwargs: Any) -> Any:
    """What somebody wrote who meant ``visualize``.

    Returns
    -------
    Delayed
        A call of the value's method of that name.
    """
    warnings.warn(
        "dask.delayed objects have no `visualise` method. "
        "Perhaps you meant `visualize`?",
        UserWarning,
        stacklevel=outside(),
    )
    method: Any = _core.delayed(_core.Method("visualise"))
    made: _core.Delayed = method(self, *args, **kwargs)
    return made


def visualize_run(run: _core.Run, *args: Any, **kwargs: Any) -> Any:
    """Draw a run: what is done, what failed, what goes on."""
    drawing = importlib.import_module("plait.drawing")
    return drawing.visualize_run(run, *args, **kwargs)


# ---- the graph ----


def dask(self: _core.Delayed) -> Mapping[Any, Any]:
    """The graph: a HighLevelGraph when Dask is loaded, else a dict."""
    return _graphs.of(self)


def __dask_graph__(self: _core.Delayed) -> Mapping[Any, Any]:
    return _graphs.of(self)


class _Graphs:
    """The last graphs: Dask asks for each several times."""

    ROOM = 100_000  # tasks, in all of them

    def __init__(self) -> None:
        self._made: OrderedDict[int, _Made] = OrderedDict()
        self._size = 0
        # Reentrant: a Delayed may be let go of anywhere.
        self._lock = threading.RLock()

    def of(self, delayed: _core.Delayed) -> Mapping[Any, Any]:
        number = id(delayed)
        there = self._made.get(number)
        with_dask = "dask.highlevelgraph" in sys.modules
        if there and there.ref() is delayed and there.with_dask == with_dask:
            return there.graph
        graph = daskgraph.graph_of([delayed])
        size = len(getattr(graph, "layers", graph))
        ref = weakref.ref(delayed, lambda _: self._forget(number))
        with self._lock:
            self._forget(number)
            self._made[number] = _Made(ref, with_dask, graph, size)
            self._size += size
            while self._size > self.ROOM:
                self._forget(next(iter(self._made)))
        return graph

    def _forget(self, number: int) -> None:
        with self._lock:
            made = self._made.pop(number, None)
            if made is not None:
                self._size -= made.size


class _Made(NamedTuple):
    ref: weakref.ref[_core.Delayed]
    with_dask: bool
    graph: Mapping[Any, Any]
    size: int


_graphs = _Graphs()


def _layer(self: _core.Delayed) -> Any:
    """The layer of the graph that the key is in."""
    function = _core.graph([self])[self.key][0]
    if type(function) is Adopted and function.origin is not None:
        return function.origin.layers[0]
    return self.key


def __dask_keys__(self: _core.Delayed) -> list[Any]:
    return [self.key]


def __dask_layers__(self: _core.Delayed) -> tuple[Any, ...]:
    return (_layer(self),)


def __dask_tokenize__(self: _core.Delayed) -> Any:
    return self.key


# ---- how Dask runs it ----


def __dask_optimize__(
    self: _core.Delayed, dsk: Any, keys: Any, **kwargs: Any
) -> Any:
    theirs = sys.modules.get("dask.delayed")
    if theirs is None:
        return dsk
    config = sys.modules["dask.config"]
    optimize = config.get("delayed_optimize", theirs.optimize)
    return optimize(dsk, keys, **kwargs) if callable(optimize) else dsk


class _Threads:
    """How a Delayed runs when nobody says: on threads.

    It is equal to ``dask.threaded.get``, so that Dask computes a Delayed
    together with its own collections.
    """

    def __call__(self, dsk: Any, keys: Any, **kwargs: Any) -> Any:
        threaded = importlib.import_module("plait.threaded")
        return threaded.get(dsk, keys, **kwargs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _Threads):
            return True
        for module in ("dask.threaded", "plait.threaded"):
            get = getattr(sys.modules.get(module), "get", None)
            if get is not None and other is get:
                return True
        return False

    def __hash__(self) -> int:
        return hash(_Threads)


__dask_scheduler__ = _Threads()


def single_key(values: Any) -> Any:
    """The one value of a list of one."""
    return values[0]


def __dask_postcompute__(self: _core.Delayed) -> tuple[Any, tuple[()]]:
    # Dask knows its own function, and spares itself a task.
    theirs = getattr(sys.modules.get("dask.delayed"), "single_key", None)
    return theirs or single_key, ()


def __dask_postpersist__(self: _core.Delayed) -> tuple[Any, tuple[Any, ...]]:
    return rebuild, (self.key, self._length)


def rebuild(
    dsk: Any,
    key: Any,
    length: int | None,
    *,
    rename: Mapping[str, str] | None = None,
) -> _core.Delayed:
    """A Delayed with that key, of another graph.

    Parameters
    ----------
    dsk : mapping
        The graph.
    key
        The key.
    length : int, optional
        How many outputs it has.
    rename : mapping, optional
        New names for old ones in keys.
    """
    if rename:
        key = _renamed(key, rename)
    layers = getattr(dsk, "layers", ())
    # Dask's optimization leaves one layer, with a name that nobody chose.
    layer = next(iter(layers)) if len(layers) == 1 else None
    return from_graph(_core.Delayed, key, dsk, length, layer)


def _renamed(key: Any, rename: Mapping[str, str]) -> Any:
    if isinstance(key, tuple) and key and isinstance(key[0], str):
        return (rename.get(key[0], key[0]), *key[1:])
    return rename.get(key, key)


def leaf(key: Any, value: Any, length: int | None) -> _core.Delayed:
    """A value that is known, as a Delayed with that key."""
    node: Any = value
    # What Dask would take for more than a value.
    if isinstance(value, (str, tuple, list)) or hasattr(value, "dependencies"):
        spec = sys.modules.get("dask._task_spec")
        wrap = getattr(spec, "DataNode", None)
        node = wrap(key, value) if wrap else (daskgraph.Literal(value),)
    return from_graph(_core.Delayed, key, {key: node}, length)


def __await__(self: _core.Delayed) -> Generator[Any, None, _core.Delayed]:
    async def there() -> _core.Delayed:
        distributed = sys.modules.get("distributed")
        if distributed is not None and distributed.futures_of(self):
            await distributed.wait(self)
        return self

    return there().__await__()


# ---- in a notebook ----


def _repr_mimebundle_(
    self: _core.Delayed, include: Any = None, exclude: Any = None
) -> dict[str, str]:
    drawing = importlib.import_module("plait.drawing")
    bundle: dict[str, str] = drawing.bundle(self)
    return bundle


def _repr_svg_(self: _core.Delayed) -> str | None:
    return _repr_mimebundle_(self).get("image/svg+xml")


def _repr_html_(self: _core.Delayed) -> str | None:
    return _repr_mimebundle_(self).get("text/html")
