# SPDX-License-Identifier: BSD-3-Clause
"""One log: records know their task, and C tasks log as Python's do.

A record that is made in a task has its key as ``record.task``. The C library's
lines are records of the logger ``plait``, handled in the thread of the task
like any other, with no lock of the library's held.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

from plait import _core

__all__ = ["LogFields", "error", "log_fields", "unwatch", "watch"]

_Factory = Callable[..., logging.LogRecord]

_MAKES_RECORDS = logging.Logger.makeRecord.__code__
# Factories that somebody may have put between logging and ours.
_FACTORIES = 10

_log = logging.getLogger("plait")


class _Maker:
    """A log record factory that asks another one, and names the task."""

    names_tasks = True

    def __init__(self, inner: _Factory) -> None:
        self.inner = inner
        self.on = True
        self.everywhere = 0  # how many want the field outside of tasks, too

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.inner(*args, **kwargs)
        key = _core.current_task() if self.on else None
        if key is not None:
            _name(record, str(key))
        elif self.on and self.everywhere:
            _name(record, "")
        return record


def _name(record: logging.LogRecord, task: str) -> None:
    # A field that a record has already may not be in `extra`.
    if "task" not in record.__dict__ and not _is_extra(sys._getframe(2)):
        record.task = task


def _is_extra(frame: FrameType | None) -> bool:
    """Whether who logs gives the record a task of its own."""
    for _ in range(_FACTORIES):
        if frame is None:
            return False
        if frame.f_code is _MAKES_RECORDS:
            return "task" in (frame.f_locals.get("extra") or ())
        frame = frame.f_back
    return False


class _State:
    """What was changed in the module logging, and C."""

    def __init__(self) -> None:
        # Nothing of anybody else's is called under it.
        self.lock = threading.Lock()
        self.maker: _Maker | None = None
        self.watching = False
        self.refused = False
        self.everywhere = 0
        self.level = 0  # that C was told


_state = _State()


def watch() -> None:
    """Make records know their tasks, and let C tasks log.

    Done at the beginning of each computation; costs next to nothing when all
    is as it was left.
    """
    if _state.refused:
        return
    if logging.getLogRecordFactory() is not _state.maker:
        _put_maker()
    if not _state.watching:
        _state.watching = True
        _core.set_log_sink(_take_line)
    level = _lowest_level()
    if level != _state.level:
        _state.level = level
        _core.set_log_level(level)


def unwatch() -> None:
    """Undo :func:`watch`, for good.

    A log record factory that somebody else has set meanwhile stays.
    """
    _state.refused = True
    _state.watching = False
    _core.set_log_sink(None)
    if not _state.everywhere:
        _take_maker_away()


class LogFields:
    """What :func:`log_fields` returns: ``close`` it, or use it in a ``with``.
    """

    def __init__(self) -> None:
        self._open = True

    def close(self) -> None:
        """Records that are made outside of tasks have no ``task`` again."""
        with _state.lock:
            if not self._open:
                return
            self._open = False
            _state.everywhere -= 1
            if _state.maker is not None:
                _state.maker.everywhere = _state.everywhere
        if _state.refused and not _state.everywhere:
            _take_maker_away()

    def __enter__(self) -> LogFields:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def log_fields() -> LogFields:
    """Give every log record a ``task``, so that ``%(task)s`` can be in formats.

    In a task it is the task's key, elsewhere ``""``. Without this only records
    that are made in tasks have it. A record that has a task of its own, by
    ``extra=``, keeps it.

    Returns
    -------
    LogFields
        Something to be closed when the field is not wanted any more.

    Examples
    --------
    >>> import logging
    >>> from plait import log_fields
    >>> with log_fields():
    ...     logging.makeLogRecord({}).task
    ''
    """
    fields = LogFields()
    with _state.lock:
        _state.everywhere += 1
    _put_maker()
    return fields


def _put_maker() -> None:
    with _state.lock:
        current = logging.getLogRecordFactory()
        if getattr(current, "names_tasks", False):
            _state.maker = current  # type: ignore[assignment]
        else:
            _state.maker = _Maker(current)
            logging.setLogRecordFactory(_state.maker)
        assert _state.maker is not None
        _state.maker.everywhere = _state.everywhere


def _take_maker_away() -> None:
    with _state.lock:
        maker, _state.maker = _state.maker, None
        if maker is None:
            return
        maker.on = False
        if logging.getLogRecordFactory() is maker:
            logging.setLogRecordFactory(maker.inner)


# ---- lines of C ----


def _lowest_level() -> int:
    """The lowest level that the logger has handled."""
    return max(_log.getEffectiveLevel(), _log.manager.disable + 1)


def _take_line(
    level: int, seconds: float, name: str, task: str, thread: str, text: str
) -> None:
    """A line of C's log, in the thread that logs it."""
    logger = logging.getLogger(name)
    if not logger.isEnabledFor(level):
        return
    record = logger.makeRecord(name, level, "(C)", 0, text, (), None)
    record.relativeCreated += 1000 * (seconds - record.created)
    record.created = seconds
    record.msecs = float(int(seconds % 1 * 1000))
    if (record.threadName or "").startswith("Dummy-"):
        record.threadName = thread
    if task and not getattr(record, "task", ""):
        record.task = task
    _handle(logger, record)


def wants_errors() -> bool:
    """Whether anybody sees an error that is logged to ``plait``."""
    if not _log.isEnabledFor(logging.ERROR):
        return False
    if _log.filters:
        return True
    handler: logging.Handler | None = None
    for handler in _handlers(_log):
        if (
            handler.level <= logging.ERROR
            and type(handler) is not logging.NullHandler
        ):
            return True
    return handler is None and logging.lastResort is not None


_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def error(text: str, *args: Any, exc_info: _ExcInfo | None = None) -> None:
    """Log an error to ``plait``, with every handler that doesn't itself fail.

    Parameters
    ----------
    text, *args
        As for ``Logger.error``.
    exc_info : tuple, optional
        What went wrong: a class, an instance, a traceback.
    """
    if not _log.isEnabledFor(logging.ERROR):
        return
    record = _log.makeRecord(
        _log.name, logging.ERROR, "(plait)", 0, text, args, exc_info
    )
    _handle(_log, record)


def _handle(logger: logging.Logger, record: logging.LogRecord) -> None:
    """``Logger.handle``, but a filter or handler that raises loses no more
    than its own line."""
    if logger.disabled:
        return
    passed: Any = True
    try:
        passed = logger.filter(record)
    except Exception:
        _complain(record)
    if isinstance(passed, logging.LogRecord):
        record = passed
    if not passed:
        return
    handlers: list[logging.Handler | None] = [*_handlers(logger)]
    for handler in handlers or [logging.lastResort]:
        if handler is None or record.levelno < handler.level:
            continue
        try:
            handler.handle(record)
        except Exception:
            _complain(record)


def _handlers(logger: logging.Logger | None) -> Iterator[logging.Handler]:
    while logger is not None:
        yield from logger.handlers
        logger = logger.parent if logger.propagate else None


def _complain(record: logging.LogRecord) -> None:
    """Says on stderr what was raised, as logging's own handlers do."""
    logging.Handler().handleError(record)
