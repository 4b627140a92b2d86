# SPDX-License-Identifier: BSD-3-Clause
"""Running a graph that is a dict, here, one task after another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plait import _core, collection

__all__ = ["get", "get_sync"]


def get_sync(dsk: Mapping[Any, Any], keys: Any, **kwargs: Any) -> Any:
    """The values of these keys of a graph, computed in this thread.

    Parameters
    ----------
    dsk : mapping
        A Dask graph: key -> task, or value.
    keys
        A key, or a list of keys, at any depth.
    **kwargs
        As for ``plait.compute``.

    Returns
    -------
    object
        A value for a key, a tuple for a list.

    Examples
    --------
    >>> from operator import add
    >>> get_sync({"x": 1, "y": (add, "x", 10)}, ["x", "y"])
    (1, 11)
    """
    return get_with("sync", dsk, keys, kwargs)


def get_with(
    scheduler: Any, dsk: Mapping[Any, Any], keys: Any, kwargs: dict[str, Any]
) -> Any:
    """The values of these keys of a graph, by that scheduler."""
    places: dict[Any, int] = {}
    _number(keys, places)
    tasks = collection.adopt(dsk, list(places))
    kwargs = {**kwargs, "scheduler": scheduler, "traverse": False}
    return _nest(keys, places, _core.compute_args(*tasks, **kwargs))


#: What ``dask.get`` is.
get = get_sync


def _number(keys: Any, places: dict[Any, int]) -> None:
    if isinstance(keys, list):
        for key in keys:
            _number(key, places)
    else:
        places.setdefault(keys, len(places))


def _nest(keys: Any, places: dict[Any, int], results: tuple[Any, ...]) -> Any:
    if isinstance(keys, list):
        return tuple(_nest(key, places, results) for key in keys)
    return results[places[keys]]
