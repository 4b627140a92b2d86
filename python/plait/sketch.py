# SPDX-License-Identifier: BSD-3-Clause
"""What a picture of a graph shows, before it is drawn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plait import _core
from plait.refs import calls
from plait.walking import walk

__all__ = ["Box", "Sketch", "counts", "shade", "short"]


class Box:
    """A task, as it is shown.

    Parameters
    ----------
    task : Delayed
        The task.
    number : int
        Its place in the sketch, inputs first.
    label : str
        What it does.
    inputs : list of int
        The numbers of the tasks whose results it uses.
    """

    __slots__ = ("colour", "inputs", "label", "note", "number", "task")

    def __init__(
        self, task: _core.Delayed, number: int, label: str, inputs: list[int]
    ) -> None:
        self.task = task
        self.number = number
        self.label = label
        self.inputs = inputs
        self.colour: str | None = None
        self.note = ""


class Sketch:
    """The tasks that some targets need.

    Parameters
    ----------
    targets : iterable of Delayed
        What is drawn.
    """

    def __init__(self, targets: Iterable[_core.Delayed]) -> None:
        wanted = list(targets)
        self.boxes: list[Box] = []
        numbers: dict[int, int] = {}
        values = _plain_arguments(wanted)
        for task in walk(wanted):
            number = len(self.boxes)
            numbers[id(task)] = number
            inputs = [numbers[id(one)] for one in _core.dependencies(task)]
            label = _core.label(task) + values.get(task.key, "")
            self.boxes.append(Box(task, number, label, inputs))
        self.targets = [numbers[id(one)] for one in wanted]
        self._wanted = wanted

    @property
    def size(self) -> int:
        """How much there is to be drawn: tasks, and their uses."""
        return len(self.boxes) + sum(len(box.inputs) for box in self.boxes)

    def paint_order(self) -> None:
        """Colours the tasks by the order in which one worker runs them, the
        first ones darkest."""
        order = _core.order(self._wanted)
        places = {task.key: place for place, task in enumerate(order)}
        last = max(len(order) - 1, 1)
        for box in self.boxes:
            place = places.get(box.task.key)
            if place is not None:  # a value doesn't run
                box.colour = shade(place / last)
                box.note = str(place)

    def paint_times(
        self, times: Mapping[Any, float], longest: float | None = None
    ) -> None:
        """Colours the tasks by the seconds that they took."""
        longest = longest or max(times.values(), default=0) or 1.0
        for box in self.boxes:
            seconds = times.get(box.task.key)
            if seconds is not None:
                box.colour = shade(min(seconds / longest, 1))
                box.note = f"{1e3 * seconds:.3g} ms"

    def paint_states(self, state: Callable[[_core.Delayed], str]) -> None:
        """Colours the tasks by how far they are."""
        for box in self.boxes:
            box.note = state(box.task)
            box.colour = _STATES.get(box.note)


_STATES = {
    "done": "#b7e1b0",
    "running": "#a6cbf0",
    "errored": "#f4a6a0",
    "skipped": "#dddddd",
}

# From dark to light; each can be told from the next without colour vision.
_SHADES = (
    (0x3B, 0x0F, 0x70),
    (0x8C, 0x29, 0x81),
    (0xDE, 0x49, 0x68),
    (0xFE, 0x9F, 0x6D),
    (0xFC, 0xFD, 0xBF),
)


def shade(share: float) -> str:
    """A colour for a number from 0 to 1: ``#rrggbb``."""
    place = min(max(share, 0.0), 1.0) * (len(_SHADES) - 1)
    low = min(int(place), len(_SHADES) - 2)
    part = place - low
    mixed = (
        round(one + (other - one) * part)
        for one, other in zip(_SHADES[low], _SHADES[low + 1])
    )
    return "#" + "".join(f"{one:02x}" for one in mixed)


def counts(task: _core.Delayed, limit: int) -> dict[str, int] | None:
    """How many tasks there are of each function; None: few, at most limit."""
    tasks = walk([task])
    first = list(itertools.islice(tasks, limit + 1))
    if len(first) <= limit:
        return None
    found: dict[str, int] = {}
    for one in itertools.chain(first, tasks):
        label = _core.label(one)
        found[label] = found.get(label, 0) + 1
    return found


def short(value: Any, room: int = 24) -> str | None:
    """A value in a few characters; None: it has no short form."""
    if not isinstance(value, (str, bytes, int, float, type(None))):
        return None
    text = repr(value)
    return text if len(text) <= room else text[: room - 1] + "…"


def _plain_arguments(targets: list[_core.Delayed]) -> dict[Any, str]:
    """By key, the arguments of a task that are not another's result."""
    found = {}
    for key, (function, args, kwargs) in calls(targets).items():
        texts = [short(value) for value in args]
        texts += [
            text and f"{name}={text}"
            for name, text in zip(kwargs, map(short, kwargs.values()))
        ]
        shown = [text for text in texts if text]
        if shown and function is not None:
            found[key] = f"({', '.join(shown)})"
    return found
