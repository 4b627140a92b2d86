# SPDX-License-Identifier: BSD-3-Clause
"""What a computation uses: memory, processor time, and values that wait."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable, Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple

from plait.callbacks import Callback

__all__ = ["CacheData", "CacheProfiler", "ResourceData", "ResourceProfiler"]


class ResourceData(NamedTuple):
    """A moment: by ``time.perf_counter``, memory in MB, and processor time in
    percent of one processor since the moment before."""

    time: float
    mem: float
    cpu: float


class ResourceProfiler(Callback):
    """Notes the memory and the processor time of this process, often.

    In a ``with`` block it does so from its begin to its end; when it is
    registered, while computations go on. It needs a Linux with ``/proc``.

    Parameters
    ----------
    dt : float
        The seconds between two moments.

    Attributes
    ----------
    results : list of ResourceData
        The moments.
    start_time, end_time : float or None
        Of the ``with`` block.

    Examples
    --------
    >>> from plait import delayed
    >>> with ResourceProfiler(dt=0.1) as prof:
    ...     delayed(sum)([1, 2]).compute()
    3
    >>> prof.results[0].mem > 1
    True
    """

    results: list[ResourceData]
    start_time: float | None
    end_time: float | None

    def __init__(self, dt: float = 1) -> None:
        super().__init__()
        self._dt = dt
        self._users = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._sampler: threading.Thread | None = None
        self.clear()

    def __enter__(self) -> ResourceProfiler:
        self.clear()
        self.start_time = perf_counter()
        self._begin()
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, traceback)
        self._end()
        self.end_time = perf_counter()

    def _start(self, dsk: Any) -> None:
        self._begin()

    def _finish(self, dsk: Any, state: Any, errored: bool) -> None:
        self._end()

    def _begin(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self._ended = threading.Event()
            self._sampler = threading.Thread(
                target=self._sample,
                args=(self._ended,),
                name="plait-resources",
                daemon=True,
            )
            self._sampler.start()

    def _end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users > 0 or self._sampler is None:
                return
            self._ended.set()
            self._sampler.join()

    def _sample(self, ended: threading.Event) -> None:
        then, used = perf_counter(), _seconds()
        share = 0.0
        while True:
            self.results.append(ResourceData(then, _megabytes(), share))
            if ended.wait(self._dt):
                return
            now, now_used = perf_counter(), _seconds()
            share = 100 * (now_used - used) / max(now - then, 1e-9)
            then, used = now, now_used

    def clear(self) -> None:
        """Forget what was noted."""
        self.results = []
        self.start_time = None
        self.end_time = None

    def visualize(self, filename: str = "profile.html", **kwargs: Any) -> Any:
        """Draw memory and processor time, with Bokeh.

        Parameters
        ----------
        filename : str
            Where to save it.
        **kwargs
            ``show``, ``save`` and what the figure takes, as for
            ``Profiler.visualize``.

        Returns
        -------
        bokeh.plotting.figure
        """
        plot = importlib.import_module("plait.diagnostics.plot")
        lines = {
            "CPU (%)": [(one.time, one.cpu) for one in self.results],
            "Memory (MB)": [(one.time, one.mem) for one in self.results],
        }
        return plot.visualize_lines(lines, filename, **kwargs)


def _seconds() -> float:
    """The processor time of this process."""
    times = os.times()
    return times.user + times.system


def _megabytes() -> float:
    """The memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class CacheData(NamedTuple):
    """A value: its size, and when it was made and let go of, by
    ``time.perf_counter``."""

    key: Any
    task: Any
    metric: Any
    cache_time: float
    free_time: float


class CacheProfiler(Callback):
    """Notes how long the values of tasks are kept, and how large they are.

    Parameters
    ----------
    metric : callable, optional
        The size of a value, as ``cachey.nbytes``; by default each counts one.
    metric_name : str, optional
        What to call it in the picture.

    Attributes
    ----------
    results : list of CacheData
        The values, in the order in which they were let go of.
    start_time, end_time : float or None
        Of the ``with`` block.

    Examples
    --------
    >>> from plait import delayed
    >>> with CacheProfiler() as prof:
    ...     delayed(sum)([1, 2], dask_key_name="total").compute()
    3
    >>> [(one.key, one.metric) for one in prof.results]
    [('total', 1)]
    """

    results: list[CacheData]
    start_time: float | None
    end_time: float | None

    def __init__(
        self,
        metric: Callable[[Any], Any] | None = None,
        metric_name: str | None = None,
    ) -> None:
        super().__init__()
        self._metric = metric or (lambda value: 1)
        own = getattr(metric, "__name__", "size") if metric else "count"
        self._metric_name = metric_name or own
        self.clear()

    def __enter__(self) -> CacheProfiler:
        self.clear()
        self.start_time = perf_counter()
        super().__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end_time = perf_counter()
        super().__exit__(kind, error, traceback)

    def _posttask(
        self,
        key: Any,
        value: Any,
        dsk: Mapping[Any, Any],
        state: Mapping[str, Any],
        worker: Any,
    ) -> None:
        now = perf_counter()
        self._kept[key] = (self._metric(value), now)
        for one in state["released"] & self._kept.keys():
            self._free(one, dsk, now)

    def _finish(self, dsk: Any, state: Any, errored: bool) -> None:
        now = perf_counter()
        for one in [key for key in self._kept if key in dsk]:
            self._free(one, dsk, now)

    def _free(self, key: Any, dsk: Mapping[Any, Any], now: float) -> None:
        size, made = self._kept.pop(key)
        self.results.append(CacheData(key, dsk[key], size, made, now))

    def clear(self) -> None:
        """Forget what was noted."""
        self.results = []
        self._kept: dict[Any, tuple[Any, float]] = {}
        self.start_time = None
        self.end_time = None

    def visualize(self, filename: str = "profile.html", **kwargs: Any) -> Any:
        """Draw how much was kept, with Bokeh.

        Parameters
        ----------
        filename : str
            Where to save it.
        **kwargs
            ``show``, ``save`` and what the figure takes, as for
            ``Profiler.visualize``.

        Returns
        -------
        bokeh.plotting.figure
        """
        plot = importlib.import_module("plait.diagnostics.plot")
        steps = [(one.cache_time, one.metric) for one in self.results]
        steps += [(one.free_time, -one.metric) for one in self.results]
        kept, line = 0, []
        for time, change in sorted(steps, key=lambda step: step[0]):
            line.append((time, kept))
            kept += change
            line.append((time, kept))
        name = f"Kept ({self._metric_name})"
        return plot.visualize_lines({name: line}, filename, **kwargs)
