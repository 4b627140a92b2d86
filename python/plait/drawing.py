# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of graphs: by Graphviz where it is installed, else as text."""

from __future__ import annotations

import html
import os
import warnings
from collections.abc import Mapping
from typing import Any

from plait import _core, config, dot, notebook
from plait.sketch import Sketch, counts
from plait.spelling import outside, suggest
from plait.tree import Tree, tree

__all__ = ["Picture", "bundle", "visualize", "visualize_run"]

# In a notebook a Delayed of more tasks than this is told in a line.
FEW = 200

_FORMATS = ("png", "svg", "pdf", "jpeg", "jpg", "dot", "gv")
_COLOURS = ("order", "time", "state")


class Picture:
    """A picture, which a notebook shows.

    Attributes
    ----------
    data : bytes
        The picture.
    format : str
        ``"svg"``, ``"png"``, …
    filename : str or None
        Where it was written.
    """

    def __init__(
        self, data: bytes, format: str, filename: str | None
    ) -> None:
        self.data = data
        self.format = format
        self.filename = filename

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> dict[str, Any]:
        if self.format == "svg":
            return {"image/svg+xml": self.data.decode()}
        if self.format in ("png", "jpeg", "jpg", "pdf"):
            return {_TYPES[self.format]: self.data}
        return {"text/plain": repr(self)}

    def __repr__(self) -> str:
        where = f" in {self.filename!r}" if self.filename else ""
        return f"<{self.format} picture{where}>"


_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "pdf": "application/pdf",
}


def visualize(
    targets: list[_core.Delayed],
    filename: str | os.PathLike[str] | None = "plait",
    format: str | None = None,
    color: str | None = None,
    profile: Any = None,
    run: _core.Run | None = None,
    maxval: float | None = None,
    engine: str | None = None,
    rankdir: str = "BT",
    graph_attr: Mapping[str, object] | None = None,
    node_attr: Mapping[str, object] | None = None,
    edge_attr: Mapping[str, object] | None = None,
    **others: Any,
) -> Picture | Tree:
    """Draw what some Delayeds need.

    Parameters
    ----------
    targets : list of Delayed
        What to draw.
    filename : path, optional
        Where to write it; its extension is the format. None: nowhere. In a
        notebook the default is shown and not written.
    format : str, optional
        What Graphviz draws, as ``"svg"``, ``"png"`` or ``"pdf"``; ``"dot"``:
        Graphviz's own text; ``"text"``: a tree, which needs no Graphviz.
    color : {"order", "time", "state"}, optional
        Colour the tasks by the order in which they run; by the seconds that
        they took in the computation that ``profile`` has seen; by how far they
        are in ``run``.
    profile : Profiler, optional
        For ``color="time"``.
    run : Run, optional
        For ``color="state"``.
    maxval : float, optional
        The number that has the lightest colour.
    engine : {"graphviz"}, optional
        What draws.
    rankdir : str
        Where results flow to: ``"BT"``, from the bottom to the top.
    graph_attr, node_attr, edge_attr : mapping, optional
        Attributes of Graphviz.
    **others
        What Dask knows more is taken, and has no effect.

    Returns
    -------
    Picture or Tree
        What a notebook, or a prompt, shows.
    """
    engine = engine or config.get("visualization.engine", None)
    if engine not in (None, "graphviz"):
        raise ValueError(f"Visualization engine {engine} not recognized")
    sketch = Sketch(targets)
    _paint(sketch, color, profile, run, maxval)
    path, kind = _where(filename, format)
    if kind == "text":
        return _text(sketch, path)
    source = dot.text(sketch, rankdir, graph_attr, node_attr, edge_attr)
    if kind in ("dot", "gv"):
        return _written(source.encode(), kind, path)
    program = dot.find()
    if program is None:
        warnings.warn(
            "Graphviz, which draws pictures, is not installed: this is a "
            "tree, and no file was written",
            UserWarning,
            stacklevel=outside(),
        )
        return tree(sketch)
    if sketch.size > dot.LIMIT:
        raise ValueError(
            f"{len(sketch.boxes):,} tasks are too many to be drawn: use "
            "format='text' or format='dot'"
        )
    return _written(dot.render(program, source, kind), kind, path)


def visualize_run(
    run: _core.Run,
    filename: str | os.PathLike[str] | None = "plait",
    color: str | None = None,
    **kwargs: Any,
) -> Picture | Tree:
    """Draw a run: by default with how far its tasks are.

    Parameters
    ----------
    run : Run
        What to draw.
    filename : path, optional
        As for :func:`visualize`.
    color : str, optional
        As for :func:`visualize`.
    **kwargs
        As for :func:`visualize`.
    """
    if color is None:
        color = "time" if "profile" in kwargs else "state"
    return visualize(run.targets, filename, color=color, run=run, **kwargs)


def bundle(task: _core.Delayed) -> dict[str, str]:
    """What a notebook shows of a Delayed, by type."""
    many = counts(task, FEW)
    if many is not None:
        line = _line(many)
        shown = html.escape(f"{task!r}: {line}")
        return {"text/plain": f"{task!r}: {line}", "text/html": shown}
    sketch = Sketch([task])
    program = dot.find()
    if program is None or sketch.size > dot.LIMIT:
        return {"text/plain": f"{task!r}\n{tree(sketch)}"}
    svg = dot.render(program, dot.text(sketch), "svg").decode()
    return {"text/plain": repr(task), "image/svg+xml": svg}


def _line(many: Mapping[str, int], room: int = 12) -> str:
    total = f"{sum(many.values()):,} tasks"
    each = [f"{number:,} {name}" for name, number in many.items()]
    if len(each) > room:
        left = len(each) - room
        each[room:] = [f"and those of {left:,} more functions"]
    return f"{total}: {', '.join(each)}"


def _paint(
    sketch: Sketch,
    color: str | None,
    profile: Any,
    run: _core.Run | None,
    longest: float | None,
) -> None:
    if color == "order":
        sketch.paint_order()
    elif color == "time":
        if profile is None:
            raise ValueError(
                "color='time' needs profile=, a plait.diagnostics.Profiler "
                "that has seen the computation"
            )
        sketch.paint_times(profile.times(), longest)
    elif color == "state":
        if run is None:
            raise ValueError("color='state' needs run=, what start() gave")
        sketch.paint_states(run.state)
    elif color is not None:
        raise NotImplementedError(
            f"Unknown value color={color}{suggest(color, _COLOURS)}"
        )


def _where(
    filename: str | os.PathLike[str] | None, format: str | None
) -> tuple[str | None, str]:
    """The path to write to, or None, and the format."""
    shown = notebook.display() is not None
    if filename == "plait" and shown:
        filename = None
    if filename is None:
        return None, format or "svg"
    path = os.fspath(filename)
    stem, extension = os.path.splitext(path)
    extension = extension[1:].lower()
    if format is None:
        format = extension or ("svg" if shown else "png")
    if format == "txt":
        format = "text"
    if format == "text":
        return (path if extension else None), format
    known = extension in (format, *_FORMATS)
    return f"{stem if known else path}.{format}", format


def _text(sketch: Sketch, path: str | None) -> Tree:
    made = tree(sketch)
    if path is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(made + "\n")
    return made


def _written(data: bytes, kind: str, path: str | None) -> Picture:
    if path is not None:
        with open(path, "wb") as file:
            file.write(data)
    return Picture(data, kind, path)
