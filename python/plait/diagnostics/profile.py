# SPDX-License-Identifier: BSD-3-Clause
"""When each task ran, and where."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from time import perf_counter
from types import TracebackType
from typing import Any, NamedTuple

from plait import _core
from plait.callbacks import Callback
from plait.daskgraph import known_in, needs_of, tasks_of
from plait.refs import Call, calls

__all__ = ["Profiler", "TaskData"]


class TaskData(NamedTuple):
    """A task that ran.

    Times are those of ``time.perf_counter``.
    """

    key: Any
    task: Any
    start_time: float
    end_time: float
    worker_id: Any


class Profiler(Callback):
    """Notes when each task ran, and on which worker.

    Attributes
    ----------
    start_time, end_time : float or None
        Of the ``with`` block.

    Examples
    --------
    >>> from plait import delayed
    >>> with Profiler() as prof:
    ...     delayed(sum)([1, 2], dask_key_name="total").compute()
    3
    >>> [task.key for task in prof.results]
    ['total']
    >>> prof.chrome_trace("/tmp/total.json")
    """

    def __init__(self) -> None:
        super().__init__()
        self._results: list[TaskData] = []
        self._needs: dict[Any, frozenset[Any]] = {}
        self._watched: list[_Watched] = []
        self.start_time: float | None = None
        self.end_time: float | None = None
        self._begun: dict[Any, float] = {}

    @property
    def results(self) -> list[TaskData]:
        """The tasks that ended with a value."""
        going_on = self._look()
        return self._results + going_on if going_on else self._results

    @property
    def needs(self) -> dict[Any, frozenset[Any]]:
        """The keys that each task needs."""
        self._look()
        return self._needs

    def _observer(
        self, targets: list[_core.Delayed]
    ) -> _core.Observer | None:
        if type(self) is not Profiler:
            return None
        self._watched.append(_Watched(targets))
        return self._watched[-1].profile

    def _look(self) -> list[TaskData]:
        """Keeps what has ended; returns the results of what goes on."""
        going_on = []
        for one in self._watched[:]:
            ended = not one.profile.watches
            results = one.results()
            if ended and one in self._watched:
                self._watched.remove(one)
                self._results += results
                self._needs.update(one.needs())
            else:
                going_on += results
        return going_on

    def __enter__(self) -> Profiler:
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

    def _start_state(self, dsk: Any, state: Mapping[str, Any]) -> None:
        for key, needs in state["dependencies"].items():
            self._needs[key] = frozenset(needs)

    def _pretask(self, key: Any, dsk: Any, state: Any) -> None:
        self._begun[key] = perf_counter()

    def _posttask(
        self, key: Any, value: Any, dsk: Any, state: Any, worker: Any
    ) -> None:
        ended = perf_counter()
        begun = self._begun.pop(key, ended)
        self._results.append(TaskData(key, dsk[key], begun, ended, worker))

    def _finish(self, dsk: Any, state: Any, errored: bool) -> None:
        self._begun.clear()

    def clear(self) -> None:
        """Forget what was noted."""
        self._results.clear()
        self._needs.clear()
        self._watched.clear()
        self._begun.clear()
        self.start_time = None
        self.end_time = None

    def times(self) -> dict[Any, float]:
        """The seconds that each task took, by key."""
        return {
            task.key: task.end_time - task.start_time
            for task in self.results
        }

    def chrome_trace(self, path: str | os.PathLike[str]) -> None:
        """Write a Chrome trace, which Perfetto and ``chrome://tracing`` open.

        A lane for each worker, a slice for each task, an arrow for each input.

        Parameters
        ----------
        path : path
            Where to; JSON.
        """
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"traceEvents": _events(self)}, file)

    def visualize(self, **kwargs: Any) -> Any:
        """Draw when each task ran, with Bokeh.

        Parameters
        ----------
        filename : str
            Where to save it: ``profile.html``.
        show, save : bool
            Whether to show it in a browser or notebook, and to save it.
        **kwargs
            Of the figure: ``title``, ``width``, ``height``, ``tools``,
            ``palette``.

        Returns
        -------
        bokeh.plotting.figure

        Raises
        ------
        ImportError
            Bokeh is not installed; :meth:`chrome_trace` needs nothing.
        """
        plot = importlib.import_module("plait.diagnostics.plot")
        return plot.visualize(self, **kwargs)


class _Watched:
    """A computation that a profile in C has watched, or does so."""

    def __init__(self, targets: list[_core.Delayed]) -> None:
        self.profile = _core.profile()
        self._targets = targets
        self._tasks: dict[Any, Call] | None = None

    @property
    def tasks(self) -> dict[Any, Call]:
        if self._tasks is None:
            self._tasks = calls(self._targets)
        return self._tasks

    def needs(self) -> dict[Any, frozenset[Any]]:
        needs = needs_of(self.tasks).items()
        return {key: frozenset(inputs) for key, inputs in needs}

    def results(self) -> list[TaskData]:
        """Of what has ended until now, in that order."""
        known, graph = known_in(self.tasks), tasks_of(self.tasks)
        return sorted(
            (
                TaskData(key, graph[key], begin, end, worker)
                for key, (outcome, worker, _, begin, end) in (
                    self.profile.timings().items()
                )
                if outcome == "done" and begin and end and key not in known
            ),
            key=lambda task: task.end_time,
        )


def _events(prof: Profiler) -> list[dict[str, Any]]:
    begin = min((task.start_time for task in prof.results), default=0.0)
    lanes = lanes_of(prof.results)
    events = [
        _event("M", "thread_name", lane, 0, args={"name": f"plait-{lane}"})
        for lane in lanes.values()
    ]
    ended = {}
    for number, task in enumerate(prof.results):
        lane = lanes[task.worker_id]
        start = _micro(task.start_time - begin)
        length = max(_micro(task.end_time) - _micro(task.start_time), 0)
        ended[task.key] = (number, lane, start + length)
        events.append(
            _event(
                "X",
                name_of(task.key),
                lane,
                start,
                dur=length,
                args={"key": str(task.key)},
            )
        )
    for task in prof.results:
        for key in prof.needs.get(task.key, ()):
            if key in ended:
                events += _arrow(ended[key], ended[task.key], task, begin)
    return events


def _arrow(
    source: tuple[int, int, float],
    target: tuple[int, int, float],
    task: TaskData,
    begin: float,
) -> list[dict[str, Any]]:
    number = f"{source[0]}-{target[0]}"
    start = _micro(task.start_time - begin)
    return [
        _event("s", "input", source[1], source[2], id=number),
        _event("f", "input", target[1], start, id=number, bp="e"),
    ]


def _event(
    kind: str, name: str, lane: int, time: float, **more: Any
) -> dict[str, Any]:
    return {
        "ph": kind,
        "name": name,
        "cat": "task",
        "pid": os.getpid(),
        "tid": lane,
        "ts": time,
        **more,
    }


def _micro(seconds: float) -> float:
    return round(seconds * 1e6, 3)


def lanes_of(results: list[TaskData]) -> dict[Any, int]:
    """A number for each worker, in the order in which they were met."""
    lanes: dict[Any, int] = {}
    for task in results:
        lanes.setdefault(task.worker_id, len(lanes))
    return lanes


def name_of(key: Any) -> str:
    """What a key says of what its task does."""
    text = str(key[0] if isinstance(key, tuple) and key else key)
    head, _, tail = text.rpartition("-")
    return head if head and set(tail) <= set("0123456789abcdef") else text
