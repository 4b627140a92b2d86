# SPDX-License-Identifier: BSD-3-Clause
"""A graph as text: each target, and below it what it needs."""

from __future__ import annotations

from plait.sketch import Box, Sketch

__all__ = ["Tree", "tree"]


class Tree(str):
    """A text that a prompt shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree(sketch: Sketch, limit: int = 500) -> Tree:
    """A sketch as lines of text.

    A task that several others use is shown with what it needs where it is met
    first, and in one line after that.

    Parameters
    ----------
    sketch : Sketch
        What to show.
    limit : int
        The most lines.

    Returns
    -------
    Tree
    """
    lines: list[str] = []
    shown: set[int] = set()
    # What is still to be shown, the next one last: a task, what stands before
    # it, and what stands before those below it.
    todo = [(number, "", "") for number in reversed(sketch.targets)]
    while todo and len(lines) < limit:
        number, before, below = todo.pop()
        box = sketch.boxes[number]
        again = number in shown and bool(box.inputs)
        lines.append(before + _line(box) + (" (see above)" if again else ""))
        if number not in shown:
            shown.add(number)
            todo += _inputs(box, below)
    left = len(sketch.boxes) - len(shown)
    if left:
        lines.append(f"… and {left:,} more tasks")
    return Tree("\n".join(lines))


def _inputs(box: Box, below: str) -> list[tuple[int, str, str]]:
    made = [
        (number, below + "├── ", below + "│   ") for number in box.inputs
    ]
    if made:
        made[-1] = (box.inputs[-1], below + "└── ", below + "    ")
    return made[::-1]


def _line(box: Box) -> str:
    return f"{box.label}  [{box.note}]" if box.note else box.label
