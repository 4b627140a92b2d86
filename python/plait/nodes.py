# SPDX-License-Identifier: BSD-3-Clause
"""Single tasks of Dask's graphs: what they need, and how they are called."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from plait.refs import Call

__all__ = [
    "Evaluation",
    "Input",
    "call_of_node",
    "call_of_tuple",
    "evaluate_node",
    "evaluate_tuple",
    "is_future",
    "is_in",
    "is_task",
    "refs_of",
    "wait_for",
]


class Input:
    """The place of another task's result among arguments.

    Parameters
    ----------
    key
        Of the other task.
    """

    __slots__ = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key


class Evaluation:
    """Makes the value of a task that is more than a call of a function.

    Parameters
    ----------
    call : callable
        Makes it of the task and a dict of its inputs.
    node
        What the graph has.
    inputs : tuple
        The keys of its inputs.
    """

    __slots__ = ("call", "inputs", "node")

    def __init__(
        self,
        call: Callable[[Any, dict[Any, Any]], Any],
        node: Any,
        inputs: tuple[Any, ...],
    ) -> None:
        self.call = call
        self.node = node
        self.inputs = inputs

    def __call__(self, *values: Any) -> Any:
        return self.call(self.node, dict(zip(self.inputs, values)))


def call_of_node(node: Any, spec: Any) -> Call | None:
    """A task as a call with an `Input` for each result; None: it is more than
    a function and plain arguments.

    Parameters
    ----------
    node
        What the graph has.
    spec : module
        Dask's, that has the classes of tasks.
    """
    if type(node) is not spec.Task:
        return None
    kwargs = dict(node.kwargs)
    if not _OPTIONS.isdisjoint(kwargs):
        return None
    parts = [
        _part(part, spec) for part in (*node.args, *kwargs.values())
    ]
    if not all(map(_is_plain, parts)):
        return None
    n = len(node.args)
    return node.func, tuple(parts[:n]), dict(zip(kwargs, parts[n:]))


def _part(part: Any, spec: Any) -> Any:
    if type(part) is spec.TaskRef:
        return Input(part.key)
    if type(part) is spec.Alias:
        return Input(part.target)
    return part


def call_of_tuple(node: Any, keys: Mapping[Any, Any]) -> Call | None:
    """The same of a tuple; ``keys`` are those of the graph."""
    if not is_task(node):
        return None
    parts = [
        Input(part) if is_in(part, keys) else part for part in node[1:]
    ]
    if not all(map(_is_plain, parts)):
        return None
    return node[0], tuple(parts), {}


# Arguments of a call that its function would not see.
_OPTIONS = frozenset(("pure", "dask_key_name"))

_PLAIN = (
    Input,
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
)


def _is_plain(part: Any) -> bool:
    """Whether an argument is what it is: nothing in it is looked for."""
    if type(part) is slice:
        return all(map(_is_plain, (part.start, part.stop, part.step)))
    if type(part) is tuple:
        return not is_task(part) and all(map(_is_plain, part))
    return isinstance(part, _PLAIN)


def evaluate_node(node: Any, values: dict[Any, Any]) -> Any:
    """The value of a task, as Dask makes it."""
    return node(values)


def wait_for(node: Any, values: dict[Any, Any]) -> Any:
    """The value that a cluster has."""
    return node.result()


def is_future(node: Any) -> bool:
    """Whether this is a value that a cluster has, or will have."""
    module = type(node).__module__.partition(".")[0]
    return module == "distributed" and hasattr(node, "result")


def evaluate_tuple(node: Any, values: dict[Any, Any]) -> Any:
    """The value of a task as Dask wrote them before it had a class for it."""
    if is_task(node):
        return node[0](*(evaluate_tuple(part, values) for part in node[1:]))
    if isinstance(node, list):
        return [evaluate_tuple(part, values) for part in node]
    return values[node] if is_in(node, values) else node


def refs_of(node: Any, keys: Mapping[Any, Any]) -> Iterator[Any]:
    """The keys in a task, as often as they are there."""
    if is_task(node):
        for part in node[1:]:
            yield from refs_of(part, keys)
    elif isinstance(node, list):
        for part in node:
            yield from refs_of(part, keys)
    elif is_in(node, keys):
        yield node


def is_task(node: Any) -> bool:
    """Whether a value is what a task was to Dask for long."""
    return type(node) is tuple and bool(node) and callable(node[0])


def is_in(node: Any, keys: Mapping[Any, Any]) -> bool:
    """Whether this is a key, though it may be what can't be one."""
    try:
        return node in keys
    except TypeError:  # can't be hashed
        return False
