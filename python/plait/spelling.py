# SPDX-License-Identifier: BSD-3-Clause
"""Words that are nearly, but not quite, what somebody meant."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Collection, Iterable

__all__ = ["outside", "suggest", "warn_misspelt"]


def suggest(word: object, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``: did you mean 'threads'?`` when a known word is near, else nothing.

    Parameters
    ----------
    word
        What was written.
    known : iterable of str
        What could have been meant.
    cutoff : float
        How near it has to be, from 0 to 1.
    """
    near = difflib.get_close_matches(str(word).lower(), known, 1, cutoff)
    return f": did you mean {near[0]!r}?" if near else ""


def warn_misspelt(
    words: Iterable[str],
    known: Collection[str],
    others: Collection[str],
    what: str = "argument",
) -> None:
    """Warns about each word that is near a known one.

    Parameters
    ----------
    words : iterable of str
        Names of arguments that were given.
    known : collection of str
        Names that have an effect.
    others : collection of str
        Names that somebody else knows: never worth a warning.
    what : str
        What the words are.
    """
    for word in words:
        if word in known or word in others:
            continue
        # Nearer than for a word that is wrong for certain.
        near = suggest(word, known, 0.65)
        if near:
            warnings.warn(
                f"{word!r} is no {what}, and has no effect{near}",
                UserWarning,
                stacklevel=outside(),
            )


def outside() -> int:
    """The ``stacklevel`` with which a warning of the caller's names the line
    of the program that called into this package."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back and _is_ours(frame.f_globals):
        frame = frame.f_back
        level += 1
    return level


def _is_ours(names: dict[str, object]) -> bool:
    name = names.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] == "plait"
