# SPDX-License-Identifier: BSD-3-Clause
"""Graphviz: the text it reads, and running it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

from plait.sketch import Sketch

__all__ = ["find", "render", "text"]

# More than this Graphviz can't lay out in the time that anybody waits.
LIMIT = 5000


def find() -> str | None:
    """Where the program ``dot`` is; None: it is not installed."""
    return shutil.which("dot")


def render(program: str, source: str, format: str) -> bytes:
    """A picture.

    Parameters
    ----------
    program : str
        Where ``dot`` is.
    source : str
        What to draw.
    format : str
        What Graphviz calls the format.

    Returns
    -------
    bytes

    Raises
    ------
    ValueError
        Graphviz knows no such format, or can't draw this.
    """
    done = subprocess.run(
        [program, f"-T{format}"],
        input=source.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise ValueError(f"Graphviz can't draw this as {format!r}: {said}")
    return done.stdout


def text(
    sketch: Sketch,
    rankdir: str = "BT",
    graph: Mapping[str, object] | None = None,
    nodes: Mapping[str, object] | None = None,
    edges: Mapping[str, object] | None = None,
) -> str:
    """A sketch as a digraph.

    Parameters
    ----------
    sketch : Sketch
        What to draw.
    rankdir : str
        Where results flow to: ``"BT"``, from the bottom to the top.
    graph, nodes, edges : mapping, optional
        Attributes of Graphviz.
    """
    boxes = {"shape": "box", "style": "rounded,filled", "fillcolor": "white"}
    lines = [
        "digraph plait {",
        f"  graph {_attributes({'rankdir': rankdir, **(graph or {})})};",
        f"  node {_attributes({**boxes, **(nodes or {})})};",
    ]
    if edges:
        lines.append(f"  edge {_attributes(edges)};")
    for box in sketch.boxes:
        label = f"{box.label}\n{box.note}" if box.note else box.label
        said = {"label": label}
        if box.colour:
            said["fillcolor"] = box.colour
            said["fontcolor"] = _ink(box.colour)
        if box.number in sketch.targets:
            said["penwidth"] = "2"
        lines.append(f"  {box.number} {_attributes(said)};")
    for box in sketch.boxes:
        lines += [f"  {one} -> {box.number};" for one in box.inputs]
    return "\n".join([*lines, "}", ""])


def _attributes(said: Mapping[str, object]) -> str:
    parts = (f"{name}={_quoted(str(value))}" for name, value in said.items())
    return f"[{', '.join(parts)}]"


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'


def _ink(colour: str) -> str:
    """Black or white, whichever can be read on a colour."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    light = 0.299 * red + 0.587 * green + 0.114 * blue
    return "black" if light > 140 else "white"
