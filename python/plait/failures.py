# SPDX-License-Identifier: BSD-3-Clause
"""What failed: which tasks, why, and running one of them again.

``plait.failures`` is this module and a function: ``plait.failures(exc)`` lists
the failures of the computation that raised ``exc``.
"""

from __future__ import annotations

import sys
import types
import warnings
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from plait import _core, logs
from plait._core import Failure, failures

__all__ = ["Failure", "debug", "failures", "split"]


def split(results: Iterable[Any]) -> tuple[list[Any], list[Failure]]:
    """What has a value, and what failed.

    Parameters
    ----------
    results : iterable
        What ``compute(…, on_error="collect")`` gave, or the inputs of a task
        that has ``on_failure="pass"``.

    Returns
    -------
    ok : list
        The values, in their order.
    failed : list of Failure
        The others.

    Examples
    --------
    >>> from plait import compute, delayed
    >>> halves = [delayed(divmod)(6, n) for n in (2, 0, 3)]
    >>> ok, failed = split(compute(*halves, on_error="collect"))
    >>> ok
    [(3, 0), (2, 0)]
    >>> [type(one.exception).__name__ for one in failed]
    ['ZeroDivisionError']
    """
    ok: list[Any] = []
    failed: list[Failure] = []
    for one in results:
        if isinstance(one, Failure):
            failed.append(one)
        else:
            ok.append(one)
    return ok, failed


def debug(failure: Failure | BaseException) -> Any:
    """Run a task that failed again: here, in this thread, with its inputs.

    It fails again, for a debugger to see: run the program with ``python -m
    pdb``, set a breakpoint in the task, or use ``%debug`` in a notebook.

    Parameters
    ----------
    failure : Failure or BaseException
        Which task; or what a computation raised: its first failure then.

    Returns
    -------
    object
        What the task returns, if it doesn't fail this time.

    Raises
    ------
    ValueError
        The task never ran, or no task raised this.
    """
    if isinstance(failure, BaseException):
        failure = _first(failure)
    if failure.skipped:
        raise ValueError(
            f"{failure.key!r} never ran, for {failure.cause_key!r} failed: "
            "debug that one"
        )
    return failure.rerun()


def _first(exc: BaseException) -> Failure:
    own = [one for one in failures(exc) if not one.skipped]
    # Of several failures, the one that was raised.
    for one in own:
        if one.exception is exc:
            return one
    if not own:
        raise ValueError(f"no task of a computation raised {exc!r}")
    return own[0]


# ---- what the extension calls, in the task's thread ----


def log_failure(failure: Failure, traceback: TracebackType | None) -> None:
    """Writes a failure to the log, when it happens.

    Parameters
    ----------
    failure : Failure
        Of a task that ran.
    traceback : traceback or None
        Of its exception.
    """
    if not logs.wants_errors():
        return
    exception = failure.exception
    logs.error(
        "task %s failed: %s: %s%s",
        failure.key,
        type(exception).__name__,
        _text(exception),
        _from(failure),
        exc_info=(type(exception), exception, traceback),
    )


def format_exception(
    exception: BaseException, traceback: TracebackType | None
) -> str:
    """An exception as Python shows it.

    Parameters
    ----------
    exception : BaseException
        It may be of a class that can't be shown.
    traceback : traceback or None
        To be shown in the place of its own.

    Returns
    -------
    str
        Lines.
    """
    from traceback import format_exception, format_tb

    try:
        lines = format_exception(type(exception), exception, traceback)
    except Exception:
        name = type(exception).__name__
        lines = ["Traceback (most recent call last):\n", *format_tb(traceback)]
        lines.append(f"{name}: <it can't be shown>\n")
    return "".join(lines)


def _text(exception: Exception) -> str:
    try:
        return str(exception)
    except Exception:
        return "<its __str__ failed>"


def _from(failure: Failure) -> str:
    if not failure.sources:
        return ""
    return f" (from {', '.join(failure.sources)})"


def warn_unrun(key: Any, value: Any) -> None:
    """Says that a task made a Delayed that nobody runs.

    Parameters
    ----------
    key
        The task's.
    value
        What it returned: a Delayed, or a container of some.
    """
    found, _ = _core.collect(value)
    made = ", ".join(sorted({_core.label(one) for one in found[:10]}))
    advice = (
        f"returned a call of {made} that nobody runs: a delayed function was "
        "called inside a task. Call the plain function there "
        f"({made}.__wrapped__ is it), or call the delayed one outside of any "
        "task and pass its result"
    )
    logs.error("task %s %s", key, advice)
    # The same text for all tasks that do it, so that it is shown once.
    warnings.warn(f"a task {advice}", UserWarning, stacklevel=2)


class _Module(types.ModuleType):
    """A module that can be called."""

    def __call__(self, exc: BaseException) -> tuple[Failure, ...]:
        return failures(exc)


sys.modules[__name__].__class__ = _Module
