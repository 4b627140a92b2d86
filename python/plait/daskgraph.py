# SPDX-License-Identifier: BSD-3-Clause
"""Delayeds as a graph of Dask.

With Dask loaded it is a HighLevelGraph with a layer for each task, of
``Task`` objects where Dask has them; without, a dict of tuples.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plait import _core
from plait.adoption import Adopted, Finalize, Origin
from plait.nodes import is_in, is_task
from plait.refs import ATOMS, Call, Shape, calls, has_refs, parts, refs_in
from plait.walking import walk

__all__ = ["graph_of", "known_in", "needs_of", "tasks_of"]

_Layers = dict[Any, Mapping[Any, Any]]


def graph_of(targets: list[_core.Delayed]) -> Mapping[Any, Any]:
    """What the targets need, and they themselves, as a graph.

    Parameters
    ----------
    targets : list of Delayed

    Returns
    -------
    mapping
        A HighLevelGraph when Dask is loaded, else a dict; for what was made
        of a graph, that one.
    """
    tasks = calls(targets)
    if len(targets) == 1:
        function = tasks[targets[0].key][0]
        if type(function) is Adopted and function.origin is not None:
            return function.origin.graph
    layered = getattr(
        sys.modules.get("dask.highlevelgraph"), "HighLevelGraph", None
    )
    made = _Layered(tasks, _annotations(targets))
    return made.high(layered) if layered else made.low()


def tasks_of(tasks: Mapping[Any, Call]) -> dict[Any, Any]:
    """What ``plait.refs.calls`` made, as a graph with nothing in it that
    doesn't run."""
    write = _writer(tasks)
    return {
        key: call[0].node if type(call[0]) is Adopted else write(key, *call)
        for key, call in tasks.items()
    }


def known_in(tasks: Mapping[Any, Call]) -> dict[Any, Any]:
    """The values among them that nothing has to run for, by key."""
    values = {}
    for key, (function, args, _) in tasks.items():
        if function is None:
            values[key] = args[0]
        elif type(function) is Adopted and function.is_value:
            values[key] = function()
    return values


def needs_of(tasks: Mapping[Any, Call]) -> dict[Any, set[Any]]:
    """The keys that each of them needs."""
    return {
        key: {
            ref.key
            for value in (*args, *kwargs.values())
            if has_refs(value)
            for ref in refs_in(value)
        }
        for key, (_, args, kwargs) in tasks.items()
    }


def _annotations(targets: Iterable[_core.Delayed]) -> dict[Any, Any]:
    """What is said about tasks, by key, where anything is."""
    found = {}
    for task in walk(targets):
        said = dict(_core.options(task))
        annotations = dict(said.pop("annotations", None) or {})
        if "retries" in said:
            annotations["retries"] = said["retries"]
        if annotations:
            found[task.key] = annotations
    return found


class _Layered:
    """Layers, and which of them need which."""

    def __init__(
        self, tasks: Mapping[Any, Call], annotations: Mapping[Any, Any]
    ) -> None:
        self._layers: _Layers = {}
        self._needs: dict[Any, set[Any]] = {}
        self._of: dict[Any, tuple[Any, ...]] = {}  # key -> its layers
        self._origins: dict[int, Origin] = {}
        self._annotations = annotations
        write = _writer(tasks)
        for key, (function, args, kwargs) in tasks.items():
            origin = getattr(function, "origin", None)
            if type(function) is Adopted:
                if origin is not None:
                    self._of[key] = self._add_origin(origin)
                continue
            task = write(key, function, args, kwargs)
            self._add(key, task, self._needed(function, args, kwargs))

    def _needed(self, function: Any, args: Any, kwargs: Any) -> set[Any]:
        if type(function) is Finalize:
            return set(self._add_origin(function.origin))
        keys = {ref.key for ref in refs_in([args, kwargs])}
        return {name for key in keys for name in self._of[key]}

    def _add(self, key: Any, task: Any, needs: set[Any]) -> None:
        self._layers[key] = {key: task}
        self._needs[key] = needs
        self._of[key] = (key,)

    def _add_origin(self, origin: Origin) -> tuple[Any, ...]:
        if id(origin.graph) in self._origins:
            return origin.layers
        self._origins[id(origin.graph)] = origin
        layers = getattr(origin.graph, "layers", None)
        if layers is None:
            layers = {origin.layers[0]: dict(origin.graph)}
        needs = getattr(origin.graph, "dependencies", {})
        for name, layer in layers.items():
            self._layers[name] = layer
            self._needs[name] = set(needs.get(name, ()))
        return origin.layers

    def low(self) -> dict[Any, Any]:
        """All tasks, in one dict."""
        made: dict[Any, Any] = {}
        for layer in self._layers.values():
            made.update(layer)
        return made

    def high(self, layered: Any) -> Mapping[Any, Any]:
        """A HighLevelGraph."""
        materialized = sys.modules["dask.highlevelgraph"].MaterializedLayer
        layers = {}
        for name, layer in self._layers.items():
            if type(layer) is dict:
                layer = materialized(layer)
                # It has those of this moment; those of the task count.
                layer.annotations = self._annotations.get(name)
            layers[name] = layer
        made: Mapping[Any, Any] = layered(layers, self._needs)
        return made


_Writer = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def _writer(tasks: Mapping[Any, Call]) -> _Writer:
    spec = sys.modules.get("dask._task_spec")
    if spec is not None and hasattr(spec, "Task"):
        return _Spec(spec).write
    return _Tuples(tasks).write


class _Spec:
    """Tasks as objects of Dask's classes for them."""

    def __init__(self, spec: Any) -> None:
        self._spec = spec

    def write(
        self,
        key: Any,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if function is None:
            return self._spec.DataNode(key, args[0])
        return self._spec.Task(
            key,
            function,
            *map(self._part, args),
            **{name: self._part(value) for name, value in kwargs.items()},
        )

    def _part(self, value: Any) -> Any:
        if type(value) is _core.Ref:
            return self._spec.TaskRef(value.key)
        if not has_refs(value):
            return value
        inner = self._spec.List(*map(self._part, parts(value) or ()))
        if type(value) is list:
            return inner
        return self._spec.Task(None, Shape(value), inner)


class _Tuples:
    """Tasks as tuples, which every Dask takes."""

    def __init__(self, tasks: Mapping[Any, Call]) -> None:
        self._keys = tasks

    def write(
        self,
        key: Any,
        function: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Any:
        if function is None:
            return self._literal(args[0], {})
        written = [self._part(value) for value in args]
        if not kwargs:
            return (function, *written)
        named = [[name, self._part(kwargs[name])] for name in kwargs]
        return (apply, function, written, (dict, named))

    def _part(self, value: Any) -> Any:
        if type(value) is _core.Ref:
            return value.key
        if not has_refs(value):
            return self._literal(value, self._keys)
        inner = [self._part(part) for part in parts(value) or ()]
        if type(value) is list:
            return inner
        return (Shape(value), inner)

    def _literal(self, value: Any, keys: Mapping[Any, Any]) -> Any:
        """A value that Dask takes for nothing but a value."""
        return (Literal(value),) if _is_mistakable(value, keys) else value


def _is_mistakable(value: Any, keys: Mapping[Any, Any]) -> bool:
    kind = type(value)
    if kind in ATOMS:
        return kind is str and is_in(value, keys)
    if kind is list:
        return True
    if is_task(value):
        return True
    return isinstance(value, (str, tuple)) and is_in(value, keys)


class Literal:
    """A call whose result is a value.

    Parameters
    ----------
    value
        The value.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self) -> Any:
        return self.value

    def __eq__(self, other: object) -> Any:
        if type(other) is not Literal:
            return NotImplemented
        return self.value == other.value

    def __hash__(self) -> int:
        return hash(Literal)


def apply(
    function: Any, args: list[Any], kwargs: dict[str, Any]
) -> Any:
    """Calls a function: a task whose function has keyword arguments."""
    return function(*args, **kwargs)
