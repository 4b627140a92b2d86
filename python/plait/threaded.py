# SPDX-License-Identifier: BSD-3-Clause
"""Running a graph that is a dict on threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plait import local

__all__ = ["get"]


def get(dsk: Mapping[Any, Any], keys: Any, **kwargs: Any) -> Any:
    """The values of these keys of a graph, computed on threads.

    Parameters
    ----------
    dsk : mapping
        A Dask graph: key -> task, or value.
    keys
        A key, or a list of keys, at any depth.
    **kwargs
        As for ``plait.compute``: ``num_workers``, ``pool``, …

    Returns
    -------
    object
        A value for a key, a tuple for a list.

    Examples
    --------
    >>> from operator import add
    >>> get({"x": 1, "y": (add, "x", 10)}, "y")
    11
    """
    return local.get_with("threads", dsk, keys, kwargs)
