# SPDX-License-Identifier: BSD-3-Clause
"""What holds for every computation, unless a call says otherwise.

A value is looked for in this order:

1. what :func:`set` was given,
2. the environment: ``PLAIT_SCHEDULER`` for ``scheduler``, with two
   underscores for a dot: ``PLAIT_VISUALIZATION__ENGINE``,
3. for the names that Dask has too: ``dask.config`` when Dask is loaded, else
   ``DASK_SCHEDULER`` and so on,
4. the default of who asks.

The names: ``scheduler``, ``num_workers``, ``pool``, ``on_error``, ``retries``,
``timeout``, ``run_timeout``, ``delayed_pure``, ``visualization.engine``,
``tokenize.ensure-deterministic``. ``-`` and ``_`` are the same in a name.
"""

from __future__ import annotations

import ast
import functools
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Set
from types import TracebackType
from typing import Any

from plait import _core
from plait.spelling import warn_misspelt

__all__ = ["config", "get", "is_silent", "set"]

#: What has been set, by dotted name. To look at; :func:`set` changes it.
config: dict[str, Any] = {}

_lock = threading.Lock()
_missing = object()

# What is looked for.
_KNOWN = (
    "scheduler",
    "num_workers",
    "pool",
    "on_error",
    "retries",
    "timeout",
    "run_timeout",
    "delayed_pure",
    "visualization.engine",
    "tokenize.ensure_deterministic",
)
# Names that mean the same to Dask. on_error and kin are Plait's alone.
_SHARED = frozenset(
    (
        "scheduler",
        "num_workers",
        "pool",
        "delayed_pure",
        "visualization.engine",
        "tokenize.ensure_deterministic",
    )
)
# What a computation asks for, as it may be called in Dask's config.
_SPELT = frozenset(("scheduler", "num_workers", "num-workers", "pool"))


def get(
    key: str, default: Any = _missing, override_with: Any = None
) -> Any:
    """The value of a name.

    Parameters
    ----------
    key : str
        The name, with a dot between its parts.
    default : optional
        What to answer when nothing is set anywhere.
    override_with : optional
        Is answered instead, unless it is None.

    Returns
    -------
    object
        The value; a dict when the name is the first part of other names.

    Raises
    ------
    KeyError
        Nothing is set, and there is no default.

    Examples
    --------
    >>> with set(num_workers=5):
    ...     get("num_workers")
    5
    >>> get("no such name", "nothing")
    'nothing'
    """
    if override_with is not None:
        return override_with
    name = _canonical(key)
    found = config.get(name, _missing)
    if found is _missing and config and name not in _KNOWN:
        found = _below(name)
    if found is _missing:
        found = _environment(b"PLAIT_", name)
    if found is _missing and name in _SHARED:
        found = _dask(key, name)
    if found is not _missing:
        return found
    if default is _missing:
        raise KeyError(key)
    return default


def is_silent(but: Set[str] = frozenset()) -> bool:
    """Whether nothing says how to compute, so that nothing has to be asked.

    Parameters
    ----------
    but : set of str
        Names that may be set, by :func:`set`: who asks looks into `config`.

    Returns
    -------
    bool
        False: something is set, which may be something else.
    """
    if not config.keys() <= but or _core.environment_has(_PREFIXES):
        return False
    theirs = sys.modules.get("dask.config")
    if theirs is None:
        return True
    set_there = getattr(theirs, "config", None)
    return type(set_there) is dict and set_there.keys().isdisjoint(_SPELT)


class set:
    """Sets values: for good, or for as long as a ``with`` block lasts.

    Parameters
    ----------
    values : mapping, optional
        Values by name. A mapping in a mapping sets the names below.
    **kwargs
        More of them, with two underscores for a dot.

    Examples
    --------
    >>> with set(scheduler="sync"):
    ...     get("scheduler")
    'sync'
    >>> with set({"visualization.engine": "graphviz"}):
    ...     get("visualization.engine")
    'graphviz'
    """

    def __init__(
        self, values: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        new = dict(_flat("", values or {}))
        for key, value in kwargs.items():
            new.update(_flat("", {key.replace("__", "."): value}))
        warn_misspelt(new, _KNOWN, (), "name of a setting")
        with _lock:
            self._before = {
                name: config.get(name, _missing) for name in new
            }
            config.update(new)

    def __enter__(self) -> dict[str, Any]:
        return config

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with _lock:
            for name, value in self._before.items():
                if value is _missing:
                    config.pop(name, None)
                else:
                    config[name] = value


def _canonical(key: str) -> str:
    return key.replace("-", "_")


def _flat(
    prefix: str, values: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        name = prefix + _canonical(key)
        if isinstance(value, Mapping):
            yield from _flat(name + ".", value)
        else:
            yield name, value


def _below(name: str) -> Any:
    """What is set below a name, as a dict."""
    prefix = name + "."
    found: dict[str, Any] = {}
    for key, value in config.copy().items():
        if not key.startswith(prefix):
            continue
        *parents, last = key[len(prefix) :].split(".")
        inner = found
        for part in parents:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return found or _missing


def _environment(prefix: bytes, name: str) -> Any:
    variable = prefix + _variable(name)
    # Asked of the process first: os.environ raises for what is not there.
    if not _core.environment_has((variable + b"=",)):
        return _missing
    text = os.environb.get(variable)
    return _value(os.fsdecode(text)) if text else _missing


@functools.cache
def _variable(name: str) -> bytes:
    return os.fsencode(name.upper().replace(".", "__"))


# How the variables begin that are looked for; most processes have none.
_PREFIXES = (
    b"PLAIT_",
    *(b"DASK_" + _variable(name) + b"=" for name in sorted(_SHARED)),
)


def _value(text: str) -> Any:
    """A value as it would be written in Python, or else the text itself."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _dask(key: str, name: str) -> Any:
    theirs = sys.modules.get("dask.config")
    ask = getattr(theirs, "get", None)
    if ask is None:  # not loaded, or another thread is loading it
        return _environment(b"DASK_", name)
    value = ask(key, None)
    return _missing if value is None else value
