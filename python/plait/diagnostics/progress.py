# SPDX-License-Identifier: BSD-3-Clause
"""A progress bar, on a terminal or in a notebook."""

from __future__ import annotations

import contextlib
import html
import sys
import threading
from time import perf_counter
from typing import Any, TextIO

from plait import _core, notebook
from plait.callbacks import Callback

__all__ = ["ProgressBar", "format_time"]


class ProgressBar(Callback):
    """Shows how far a computation is.

    Parameters
    ----------
    minimum : float
        Nothing is shown of computations shorter than this, in seconds.
    width : int
        Characters of the bar.
    dt : float
        Seconds between two pictures.
    out : file, optional
        Where to write; by default ``sys.stdout``, or the output of the cell in
        a notebook.

    Attributes
    ----------
    last_duration : float
        The seconds that the last computation took.

    Examples
    --------
    >>> from plait import delayed
    >>> with ProgressBar(minimum=60):
    ...     delayed(sum)([1, 2]).compute()
    3
    """

    def __init__(
        self,
        minimum: float = 0,
        width: int = 40,
        dt: float = 0.1,
        out: TextIO | None = None,
    ) -> None:
        super().__init__()
        self._minimum = minimum
        self._width = width
        self._dt = dt
        self._out = out
        self._state: Any = None
        self._tally: _core.Observer | None = None
        self._ended = threading.Event()
        self._timer: threading.Thread | None = None
        self._begin = 0.0
        self._screen: _Stream | _Cell | None = None
        self.last_duration: float = 0

    @property
    def _running(self) -> bool:
        return self._timer is not None and not self._ended.is_set()

    def _observer(
        self, targets: list[_core.Delayed]
    ) -> _core.Observer | None:
        self._tally = _core.tally() if type(self) is ProgressBar else None
        return self._tally

    def _start(self, dsk: Any) -> None:
        self._state = None
        self._begin = perf_counter()
        self._ended = threading.Event()
        self._screen = _screen(self._out)
        self._timer = threading.Thread(
            target=self._draw_often,
            args=(self._ended,),
            name="plait-progress",
            daemon=True,
        )
        self._timer.start()

    def _start_state(self, dsk: Any, state: Any) -> None:
        self._state = state

    def _pretask(self, key: Any, dsk: Any, state: Any) -> None:
        self._state = state

    def _finish(self, dsk: Any, state: Any, errored: bool) -> None:
        self._ended.set()
        if self._timer is not None:
            self._timer.join()
        self.last_duration = perf_counter() - self._begin
        if self._screen is None or self.last_duration < self._minimum:
            return
        share = self._share() if errored else 1.0
        self._screen.show(share, self._width, self.last_duration)
        self._screen.end()
        self._state = None
        self._tally = None

    def _draw_often(self, ended: threading.Event) -> None:
        while not ended.wait(self._dt):
            elapsed = perf_counter() - self._begin
            share = self._share()
            # All done is for the end to say, once.
            if self._screen and elapsed >= self._minimum and share < 1:
                self._screen.show(share, self._width, elapsed)

    def _share(self) -> float:
        state, tally = self._state, self._tally
        if tally is not None:
            counts = tally.counts()
            return counts["done"] / counts["total"] if counts["total"] else 0.0
        if not state:
            return 0.0
        done = len(state["finished"])
        # Another's scheduler may have no list of what failed.
        left = sum(len(state.get(name, ())) for name in _LEFT)
        return done / (done + left) if done + left else 0.0


_LEFT = ("ready", "waiting", "running", "errored")


class _Stream:
    """A line of text that is drawn over and over."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def show(self, share: float, width: int, seconds: float) -> None:
        bar = "#" * int(width * share)
        self._write(
            f"\r[{bar:<{width}}] | {int(100 * share)}% Completed | "
            f"{format_time(seconds)}"
        )

    def end(self) -> None:
        self._write("\n")

    def _write(self, text: str) -> None:
        # A file that somebody closed, as a test's output, is nobody's worry.
        with contextlib.suppress(ValueError):
            self._file.write(text)
            self._file.flush()


class _Cell:
    """The output of a notebook's cell."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._handle: Any = None

    def show(self, share: float, width: int, seconds: float) -> None:
        text = f"{int(100 * share)}% Completed | {format_time(seconds)}"
        picture = _Html(
            f'<progress max="1" value="{share:.3f}" '
            f'style="width: {width // 2}em"></progress> {html.escape(text)}',
            text,
        )
        if self._handle is None:
            self._handle = self._display(picture, display_id=True)
        else:
            self._handle.update(picture)

    def end(self) -> None:
        self._handle = None


class _Html:
    """Something that a notebook shows as HTML, or else as text."""

    def __init__(self, shown: str, text: str) -> None:
        self._shown = shown
        self._text = text

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        return self._shown


def _screen(out: TextIO | None) -> _Stream | _Cell | None:
    if out is not None:
        return _Stream(out)
    display = notebook.display()
    if display is not None:
        return _Cell(display)
    # None in a program that has no console.
    return _Stream(sys.stdout) if sys.stdout is not None else None


def format_time(seconds: float) -> str:
    """A duration for people.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> format_time(0.0123)
    '12.30 ms'
    >>> format_time(75)
    '1 m 15 s'
    """
    if seconds >= 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} m"
    if seconds >= 60:
        return f"{int(seconds // 60)} m {int(seconds % 60)} s"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds / 1e-6:.2f} us"
