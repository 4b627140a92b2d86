# SPDX-License-Identifier: BSD-3-Clause
"""Annotations: what is said about all tasks made in a ``with`` block."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Number
from typing import Any

from plait import _core

__all__ = ["annotate", "follow_dask", "get_annotations"]

_Var = ContextVar[dict[str, Any] | None]

_ours: _Var = ContextVar("plait.annotations", default=None)
_followed: list[_Var] = []


@contextmanager
def annotate(**annotations: Any) -> Iterator[None]:
    """Says something about all tasks that are made in a ``with`` block.

    ``retries`` and ``priority`` have an effect: how often a task that failed
    runs again, and which tasks run first. All annotations are in the graph that
    a Dask scheduler is given.

    Parameters
    ----------
    retries : int, optional
        How often a task is tried again.
    priority : number, optional
        Tasks with a higher one run earlier.
    **annotations
        Whatever other schedulers know: ``workers``, ``resources``,
        ``allow_other_workers``. A callable gets the key of each task.

    Examples
    --------
    >>> from plait import delayed
    >>> with annotate(retries=3):
    ...     total = delayed(sum)([1, 2])
    >>> total.compute()
    3
    """
    _check(annotations)
    var = _follow(follow_dask() or _ours)
    before = var.get() or {}
    token = var.set({**before, **annotations})
    try:
        yield
    finally:
        var.reset(token)


def get_annotations() -> dict[str, Any]:
    """The annotations that a task made here would have.

    Returns
    -------
    dict
        By name; empty outside of any :func:`annotate`.
    """
    return (follow_dask() or _ours).get() or {}


def follow_dask() -> _Var | None:
    """The variable that holds Dask's annotations once Dask is loaded, so that
    ``dask.annotate`` counts here, and ours there; None: it is not loaded."""
    base = sys.modules.get("dask.base")
    var: object = getattr(base, "_annotations", None)
    return _follow(var) if isinstance(var, ContextVar) else None


def _follow(var: _Var) -> _Var:
    # The extension looks into no variable before somebody needs it.
    if _followed != [var]:
        _core.use_annotations(var)
        _followed[:] = [var]
    return var


def _check(annotations: dict[str, Any]) -> None:
    workers = annotations.get("workers")
    if isinstance(workers, str):
        annotations["workers"] = [workers]
    elif isinstance(workers, (list, set, tuple)):
        annotations["workers"] = list(workers)
    elif "workers" in annotations and not callable(workers):
        raise TypeError(
            "'workers' annotation must be a sequence of str, a str or a "
            f"callable, but got {workers}."
        )
    for name, kind, what in (
        ("priority", Number, "a Number or a callable"),
        ("retries", Number, "a Number or a callable"),
        ("resources", dict, "a dict"),
        ("allow_other_workers", bool, "a bool or a callable"),
    ):
        value = annotations.get(name)
        if name not in annotations or callable(value):
            continue
        if not isinstance(value, kind):
            raise TypeError(
                f"{name!r} annotation{'s' if kind is bool else ''} must be "
                f"{what}, but got {value}"
            )
