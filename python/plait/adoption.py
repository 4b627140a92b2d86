# SPDX-License-Identifier: BSD-3-Clause
"""Dask's graphs as Delayeds: a task for each of their tasks.

Nothing here imports Dask. Where Dask is loaded, it says itself what its tasks
need and how they are called; else a graph is what Dask's graphs always were:
tuples whose first item can be called.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from plait import _core
from plait.nodes import (
    Evaluation,
    Input,
    call_of_node,
    call_of_tuple,
    evaluate_node,
    evaluate_tuple,
    is_future,
    is_task,
    refs_of,
    wait_for,
)
from plait.refs import Call
from plait.tokenize import tokenize

__all__ = [
    "Adopted",
    "Origin",
    "adopt",
    "from_collection",
    "from_graph",
    "is_dask_collection",
]


class Origin:
    """Where a task that others see came from: a whole graph.

    Parameters
    ----------
    graph : mapping
        As it was given.
    layers : tuple of str
        The layers of the graph that the task belongs to.
    """

    __slots__ = ("graph", "layers")

    def __init__(
        self, graph: Mapping[Any, Any], layers: tuple[Any, ...]
    ) -> None:
        self.graph = graph
        self.layers = layers


class Adopted(functools.partial[Any]):
    """A function of a task of Dask's, that knows its task.

    It is called as the function is, with nothing of ours in between.

    Attributes
    ----------
    node
        What the graph has.
    origin : Origin or None
        Of what others see. A graph's inner tasks have none.
    is_value : bool
        Whether there is nothing to be run.
    """

    __name__: str
    node: Any
    origin: Origin | None
    is_value: bool


def adopt(graph: Any, keys: Iterable[Any]) -> list[_core.Delayed]:
    """Delayeds for these keys of a graph of Dask.

    Parameters
    ----------
    graph : mapping
        A dict, a HighLevelGraph, or what has a ``__dask_graph__``.
    keys : iterable
        Keys of the graph.

    Returns
    -------
    list of Delayed
        One for each key, with that key.

    Raises
    ------
    KeyError
        The graph has no such key.
    ValueError
        A task needs a key that the graph doesn't have.
    RuntimeError
        Tasks need each other in a circle.
    """
    adopted = _graph_of(graph)
    return [adopted.task(key) for key in keys]


def from_graph(
    cls: type,
    key: Any,
    dsk: Any,
    length: int | None = None,
    layer: Any = None,
) -> _core.Delayed:
    """What ``Delayed(key, dsk, length, layer)`` makes."""
    layer = layer or key
    if hasattr(dsk, "layers") and layer not in dsk.layers:
        raise ValueError(
            f"Layer {layer} not in the HighLevelGraph's layers: "
            f"{list(dsk.layers)}"
        )
    return _graph_of(dsk).seen(key, length, Origin(dsk, (layer,)))


def from_collection(x: Any) -> _core.Delayed:
    """A collection of Dask, as the Delayed of its value.

    Parameters
    ----------
    x
        An array, a bag, a dataframe, a Delayed of Dask's own, …

    Returns
    -------
    Delayed
    """
    name = None
    # Dataframes are expressions. Asked of the type: a Delayed of Dask's own has
    # any attribute.
    if hasattr(type(x), "expr") and hasattr(type(x), "optimize"):
        name = f"finalize-{tokenize(x)}"
        x = x.optimize()
    graph = x.__dask_graph__()
    keys = x.__dask_keys__()
    finalize, extra = x.__dask_postcompute__()
    origin = Origin(graph, _layers(x, graph))
    adopted = _graph_of(graph)
    if getattr(finalize, "__name__", "") == "single_key" and not extra:
        length = getattr(x, "_length", None)
        return adopted.seen(keys[0], length, origin)
    call = _core.delayed(Finalize(finalize, extra, origin), pure=True)
    return call(
        _each(keys, adopted.task),
        dask_key_name=name or f"finalize-{tokenize(x)}",
    )


class Finalize:
    """Puts the parts of a collection together.

    Parameters
    ----------
    function, extra
        What ``__dask_postcompute__`` gave.
    origin : Origin
        Of the parts.
    """

    __slots__ = ("extra", "function", "origin")
    __name__ = "finalize"

    def __init__(
        self, function: Any, extra: tuple[Any, ...], origin: Origin
    ) -> None:
        self.function = function
        self.extra = extra
        self.origin = origin

    def __call__(self, values: list[Any]) -> Any:
        return self.function(values, *self.extra)


def is_dask_collection(x: object) -> bool:
    """Whether Dask would take this for a collection.

    Parameters
    ----------
    x
        Anything.

    Returns
    -------
    bool
        True for each Delayed, and for arrays, bags and dataframes of Dask.
    """
    if isinstance(x, type):
        return False
    if isinstance(x, _core.Delayed):
        return True
    if not callable(getattr(x, "__dask_graph__", None)):
        return False
    theirs = getattr(
        sys.modules.get("dask.base"), "is_dask_collection", None
    )
    if theirs is not None:
        return bool(theirs(x))
    there: Any = x
    return there.__dask_graph__() is not None


class _Graph:
    """A graph of Dask, and the Delayeds that were made of it."""

    def __init__(self, graph: Any) -> None:
        spec = sys.modules.get("dask._task_spec")
        convert = getattr(spec, "convert_legacy_graph", None)
        nodes = dict(graph)
        if convert is not None:
            # A future is known by its own key, which Dask takes for nothing.
            futures = {
                key: node for key, node in nodes.items() if is_future(node)
            }
            others = {
                key: nodes[key] for key in nodes if key not in futures
            }
            nodes = {**convert(others, set(nodes)), **futures}
        self._spec = spec if convert is not None else None
        self._evaluate = evaluate_tuple if self._spec is None else evaluate_node
        self._nodes = nodes
        self._made: dict[Any, _core.Delayed] = {}

    def task(self, key: Any) -> _core.Delayed:
        """The Delayed of a key; inputs first, without recursion."""
        if key not in self._nodes:
            raise KeyError(key)
        path: dict[Any, Iterator[Any]] = {}
        self._enter(key, path)
        while path:
            last = next(reversed(path))
            for one in path[last]:
                if one in self._made:
                    continue
                if one in path:
                    raise RuntimeError(_circle(path, one))
                self._enter(one, path)
                break
            else:
                del path[last]
                self._make(last)
        return self._made[key]

    def seen(
        self, key: Any, length: int | None, origin: Origin
    ) -> _core.Delayed:
        """The Delayed of a key, for others to see: it knows its graph."""
        self.task(key)
        return self._call_of(key, origin, length)

    def _enter(self, key: Any, path: dict[Any, Iterator[Any]]) -> None:
        if key in self._made:
            return
        inputs = self._inputs(key)
        for one in inputs:
            if one not in self._nodes:
                raise ValueError(
                    f"Missing dependency {one} for dependents {{{key!r}}}"
                )
        path[key] = iter(inputs)

    def _inputs(self, key: Any) -> tuple[Any, ...]:
        node = self._nodes[key]
        if is_future(node):
            return ()
        if self._spec is not None:
            return tuple(node.dependencies)
        return tuple(dict.fromkeys(refs_of(node, self._nodes)))

    def _make(self, key: Any) -> None:
        self._made[key] = self._call_of(key, None, None)

    def _call_of(
        self, key: Any, origin: Origin | None, length: int | None
    ) -> _core.Delayed:
        node = self._nodes[key]
        call = self._as_call(node)
        is_value = call is None and self._is_value(node)
        if call is None:
            inputs = self._inputs(key)
            how = wait_for if is_future(node) else self._evaluate
            refs = tuple(Input(one) for one in inputs)
            call = (Evaluation(how, node, inputs), refs, {})
        function, args, kwargs = call
        adopted = Adopted(function)
        adopted.__name__ = _prefix(key)
        adopted.node = node
        adopted.origin = origin
        adopted.is_value = is_value
        # Pure: tasks of several graphs that have the same key are one.
        leaf = _core.delayed(adopted, pure=True, nout=length)
        return leaf(
            *map(self._filled, args),
            **{name: self._filled(kwargs[name]) for name in kwargs},
            dask_key_name=key,
        )

    def _filled(self, part: Any) -> Any:
        return self._made[part.key] if type(part) is Input else part

    def _as_call(self, node: Any) -> Call | None:
        """A task that is a call with plain arguments; None: it is not."""
        if self._spec is not None:
            return call_of_node(node, self._spec)
        return call_of_tuple(node, self._nodes)

    def _is_value(self, node: Any) -> bool:
        if is_future(node):
            return False
        if self._spec is not None:
            return isinstance(node, self._spec.DataNode)
        return not is_task(node) and not any(refs_of(node, self._nodes))


# The graphs that can be forgotten when nobody else has them, by id: blocks of
# an array, say, share one, and it isn't taken apart for each of them.
_known: dict[int, tuple[weakref.ref[Any], _Graph]] = {}


def _graph_of(graph: Any) -> _Graph:
    if not isinstance(graph, Mapping):
        graph = graph.__dask_graph__()
    there = _known.get(id(graph))
    if there is not None and there[0]() is graph:
        return there[1]
    made = _Graph(graph)
    number = id(graph)
    try:
        ref = weakref.ref(graph, lambda _: _known.pop(number, None))
    except TypeError:  # a plain dict, which may also change
        return made
    _known[number] = (ref, made)
    return made


def _layers(x: Any, graph: Any) -> tuple[Any, ...]:
    layers = getattr(x, "__dask_layers__", None)
    if layers is None or not hasattr(graph, "layers"):
        return (str(id(graph)),)
    return tuple(layers())


def _each(keys: Any, task: Callable[[Any], Any]) -> Any:
    """Keys, in lists of lists, each as its task."""
    if isinstance(keys, list):
        return [_each(key, task) for key in keys]
    return task(keys)


def _prefix(key: Any) -> str:
    """What a key says of what its task does."""
    text = str(key[0] if isinstance(key, tuple) and key else key)
    return text.split("-")[0] or "task"


def _circle(path: dict[Any, Iterator[Any]], key: Any) -> str:
    keys = list(path)
    circle = [*keys[keys.index(key) :], key]
    return f"Cycle detected in Dask: {'->'.join(map(str, circle))}"
