# SPDX-License-Identifier: BSD-3-Clause
"""Iterators as arguments of delayed calls: nobody looks into them."""

from __future__ import annotations

import warnings
from types import GeneratorType
from typing import Any

from plait import _core
from plait.spelling import outside

__all__ = ["warn_of_iterator"]


def warn_of_iterator(iterator: Any) -> None:
    """Says so when an argument is an iterator over Delayeds: the call gets it
    as it is, with the Delayeds in it.

    Parameters
    ----------
    iterator
        A generator, a map, …. It is not used up.
    """
    if _gives_delayeds(iterator):
        warnings.warn(
            f"an argument is a {type(iterator).__name__} over Delayeds: it is "
            "not looked into, and the function will get the Delayeds, not "
            "their values. Make it a list",
            UserWarning,
            stacklevel=outside(),
        )


def _gives_delayeds(iterator: Any) -> bool:
    """Whether a Delayed is the first of what an iterator comes from, as far as
    that can be seen from outside."""
    if isinstance(iterator, GeneratorType):
        frame = iterator.gi_frame
        # What a generator expression loops over.
        source = frame and frame.f_locals.get(".0")
        return source is not None and _gives_delayeds(source)
    try:
        _, parts, *_ = iterator.__reduce__()
    except (TypeError, ValueError, AttributeError):
        return False
    return any(_has_delayeds(part) for part in parts)


def _has_delayeds(part: Any) -> bool:
    if isinstance(part, (list, tuple)):
        return any(isinstance(one, _core.Delayed) for one in part[:1])
    return hasattr(part, "__next__") and _gives_delayeds(part)
