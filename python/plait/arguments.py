# SPDX-License-Identifier: BSD-3-Clause
"""The arguments of compute and its kin."""

from __future__ import annotations

import operator
from typing import Any

from plait import config
from plait.spelling import suggest, warn_misspelt

__all__ = [
    "DEFAULTS",
    "OURS",
    "count",
    "said",
    "settings_of",
    "warn_of_unknown",
]

#: What compute and its kin know, and what they do when nobody says.
DEFAULTS: dict[str, Any] = {
    "traverse": True,
    "optimize_graph": True,
    "scheduler": None,
    "get": None,
    "num_workers": None,
    "pool": None,
    "on_error": None,
    "retries": None,
    "timeout": None,
    "run_timeout": None,
    "callbacks": None,
    "observers": (),
}
# Those that the config may say, and what the extension calls them.
_CONFIGURED = (
    ("num_workers", "workers"),
    ("retries", "retries"),
    ("timeout", "timeout"),
    ("run_timeout", "run_timeout"),
)
#: Ours alone: no other scheduler is told.
OURS = frozenset(
    (
        "traverse",
        "optimize_graph",
        "scheduler",
        "get",
        "callbacks",
        "observers",
    )
)
# What other schedulers know.
_THEIRS = frozenset(
    (
        "actors",
        "allow_other_workers",
        "asynchronous",
        "cache",
        "chunksize",
        "direct",
        "fifo_timeout",
        "func_dumps",
        "func_loads",
        "initializer",
        "priority",
        "raise_exception",
        "rerun_exceptions_locally",
        "resources",
        "sync",
        "workers",
    )
)

_ON_ERROR = ("finish", "stop", "collect")


def said(kwargs: dict[str, Any]) -> dict[str, Any]:
    """All arguments, with their defaults."""
    return {**DEFAULTS, **kwargs}


def warn_of_unknown(kwargs: dict[str, Any]) -> None:
    """Warns of each argument that is nearly one of ours."""
    warn_misspelt(kwargs, DEFAULTS, _THEIRS)


def settings_of(said: dict[str, Any], silent: bool) -> dict[str, Any]:
    """What to tell the extension; what nobody said is left out. ``silent``:
    the config says nothing."""
    settings: dict[str, Any] = {"observers": said["observers"]}
    for name, told in _CONFIGURED:
        value = said[name]
        if value is None and not silent:
            value = config.get(name, None)
        if value is not None:
            settings[told] = value
    if "workers" in settings:
        settings["workers"] = count(settings["workers"])
    if said["on_error"] is not None or not silent:
        settings["on_error"] = _on_error(said["on_error"])
    return settings


def count(workers: Any) -> int:
    """How many workers somebody meant."""
    number = operator.index(workers)
    if number < 1:
        raise ValueError(f"num_workers must be 1 or more, not {workers!r}")
    return number


def _on_error(word: Any) -> str:
    if word is None:
        word = config.get("on_error", "finish")
    if word not in _ON_ERROR:
        raise ValueError(
            f"on_error must be 'finish', 'stop' or 'collect', not "
            f"{word!r}{suggest(word, _ON_ERROR)}"
        )
    return str(word)
