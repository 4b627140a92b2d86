# SPDX-License-Identifier: BSD-3-Clause
"""The places of other tasks' results among a task's arguments."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterator
from typing import Any

from plait import _core
from plait._core import Ref

__all__ = [
    "ATOMS",
    "Call",
    "Shape",
    "calls",
    "filled",
    "has_refs",
    "parts",
    "refs_in",
]

Call = tuple[Any, tuple[Any, ...], dict[str, Any]]


def calls(targets: list[_core.Delayed]) -> dict[Any, Call]:
    """What the targets need, and they themselves, inputs first.

    Parameters
    ----------
    targets : list of Delayed

    Returns
    -------
    dict
        key -> (function, args, kwargs), with a `Ref` for another task's result.
        A function of None is a value without any: ``args[0]``.
    """
    return {key: _call(*call) for key, call in _core.graph(targets).items()}


def _call(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Call:
    if type(function) is Ref:  # a task's result is called
        return operator.call, (function, *args), kwargs
    if function is None and has_refs(args[0]):
        return identity, args, kwargs
    return function, args, kwargs


def identity(value: Any) -> Any:
    """The value: what a container of results does."""
    return value


def refs_in(value: Any) -> Iterator[Ref]:
    """The references in a value, at any depth, as often as they are there."""
    if type(value) is Ref:
        yield value
        return
    for part in parts(value) or ():
        yield from refs_in(part)


def filled(value: Any, of: Callable[[Ref], Any]) -> Any:
    """The value, with something in the place of each reference.

    Parameters
    ----------
    value
        An argument, as `plait._core.graph` gives it.
    of : callable
        What to put in the place of a reference.

    Returns
    -------
    object
        The value itself, when there is no reference in it.
    """
    if type(value) is Ref:
        return of(value)
    inner = parts(value)
    if inner is None:
        return value
    new = [filled(part, of) for part in inner]
    if all(one is other for one, other in zip(new, inner)):
        return value
    return Shape(value)(new)


def has_refs(value: Any) -> bool:
    """Whether there is a reference in a value."""
    if type(value) in ATOMS:
        return False
    return any(True for _ in refs_in(value))


# What most arguments are, and holds nothing.
ATOMS = {int, float, bool, str, bytes, type(None)}


def parts(value: Any) -> list[Any] | None:
    """What a container holds; a dict's keys and values take turns. None: it
    is no container that may hold references."""
    kind = type(value)
    if kind in ATOMS:
        return None
    if kind in (list, tuple, set):
        return list(value)
    if kind is dict:
        return [part for item in value.items() for part in item]
    if kind is slice:
        return [value.start, value.stop, value.step]
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return list(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, name) for name in _fields(value)]
    return None


class Shape:
    """What a container is, but for what it holds.

    Called with a list like that of :func:`parts` it makes such a container.

    Parameters
    ----------
    value
        A container.
    """

    __slots__ = ("kind", "names")

    def __init__(self, value: Any) -> None:
        self.kind: Any = type(value)
        self.names: list[str] | None = None
        if dataclasses.is_dataclass(value):
            self.names = _fields(value)

    def __call__(self, new: list[Any]) -> Any:
        if self.names is not None:
            return self.kind(**dict(zip(self.names, new)))
        if self.kind in (list, tuple, set):
            return self.kind(new)
        if self.kind is dict:
            return dict(zip(new[::2], new[1::2]))
        return self.kind(*new)

    def __eq__(self, other: object) -> Any:
        if type(other) is not Shape:
            return NotImplemented
        return self.kind is other.kind and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.kind)


def _fields(value: Any) -> list[str]:
    return [
        field.name
        for field in dataclasses.fields(value)
        if hasattr(value, field.name)
    ]
