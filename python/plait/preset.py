# SPDX-License-Identifier: BSD-3-Clause
"""Computations some of whose values are known before they begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plait import _core
from plait.annotations import annotate
from plait.collection import leaf
from plait.refs import Call, calls, filled, has_refs, refs_in
from plait.walking import walk

__all__ = ["with_values"]


def with_values(
    targets: list[_core.Delayed], values: Mapping[Any, Any]
) -> list[_core.Delayed]:
    """The same tasks, but for those whose values are given.

    Parameters
    ----------
    targets : list of Delayed
        What is to be computed.
    values : mapping
        What is known, by key.

    Returns
    -------
    list of Delayed
        One for each target, with the same keys. What needs none of the values
        is what it was.
    """
    tasks = calls(targets)
    made: dict[Any, _core.Delayed] = {}
    changed = set()
    for task in walk(targets):
        key = task.key
        if key in values:
            made[key] = leaf(key, values[key], None)
            changed.add(key)
        elif changed.isdisjoint(_needs(tasks[key])):
            made.setdefault(key, task)
        else:
            made[key] = _again(task, tasks[key], made)
            changed.add(key)
    return [made[target.key] for target in targets]


def _needs(call: Call) -> set[Any]:
    _, args, kwargs = call
    return {
        ref.key
        for value in (*args, *kwargs.values())
        if has_refs(value)
        for ref in refs_in(value)
    }


def _again(
    task: _core.Delayed, call: Call, made: Mapping[Any, _core.Delayed]
) -> _core.Delayed:
    function, args, kwargs = call
    options = dict(_core.options(task))
    with annotate(**options.pop("annotations", None) or {}):
        # Pure: what has the same key is the same task, as it was before.
        return _core.delayed(function, pure=True, **options)(
            *filled(args, lambda ref: made[ref.key]),
            **filled(kwargs, lambda ref: made[ref.key]),
            dask_key_name=task.key,
        )
