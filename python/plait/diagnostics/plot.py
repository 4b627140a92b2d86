# SPDX-License-Identifier: BSD-3-Clause
"""The profilers' pictures, drawn by Bokeh."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plait import notebook

if TYPE_CHECKING:
    from plait.diagnostics.profile import Profiler

__all__ = ["visualize"]


def visualize(
    prof: Profiler,
    filename: str = "profile.html",
    show: bool = True,
    save: bool | None = None,
    palette: str = "Viridis",
    **kwargs: Any,
) -> Any:
    """Draw when each task of a profile ran. See ``Profiler.visualize``.

    Parameters
    ----------
    prof : Profiler
        What was noted.
    filename : str
        Where to save it.
    show : bool
        Whether to show it.
    save : bool, optional
        Whether to save it; by default, unless this is a notebook.
    palette : str
        One of Bokeh's palettes; each function has a colour.
    **kwargs
        Of the figure.

    Returns
    -------
    bokeh.plotting.figure
    """
    plotting = importlib.import_module("bokeh.plotting")
    figure = _figure(plotting, prof, kwargs)
    if prof.results:
        _draw(figure, prof, palette)
    return _given(figure, filename, show, save)


def visualize_lines(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    filename: str = "profile.html",
    show: bool = True,
    save: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Draw what changes with time.

    Parameters
    ----------
    lines : mapping
        Name -> (time, number), one or two of them; the second has an axis of
        its own.
    filename : str
        Where to save it.
    show, save : bool
        As for :func:`visualize`.
    **kwargs
        Of the figure.

    Returns
    -------
    bokeh.plotting.figure
    """
    plotting = importlib.import_module("bokeh.plotting")
    said = {"title": "Profile", "width": 800, "height": 300, **kwargs}
    figure = plotting.figure(**said)
    figure.xaxis.axis_label = "Time (s)"
    times = [time for line in lines.values() for time, _ in line]
    begin = min(times, default=0)
    for number, (name, line) in enumerate(lines.items()):
        where = _axis(figure, name, line, number)
        figure.line(
            [time - begin for time, _ in line],
            [value for _, value in line],
            legend_label=name,
            line_color=_LINES[number],
            **where,
        )
    return _given(figure, filename, show, save)


_LINES = ("#440154", "#35b779")


def _axis(
    figure: Any, name: str, line: Sequence[tuple[float, float]], number: int
) -> dict[str, str]:
    """What says that a line goes by this axis, which is made."""
    if number == 0:
        figure.yaxis.axis_label = name
        return {}
    models = importlib.import_module("bokeh.models")
    most = max((value for _, value in line), default=0) or 1
    figure.extra_y_ranges = {name: models.Range1d(start=0, end=1.1 * most)}
    axis = models.LinearAxis(y_range_name=name, axis_label=name)
    figure.add_layout(axis, "right")
    return {"y_range_name": name}


def _given(figure: Any, filename: str, show: bool, save: bool | None) -> Any:
    """The figure, saved and shown."""
    plotting = importlib.import_module("bokeh.plotting")
    in_notebook = notebook.display() is not None
    if save is None:
        save = not in_notebook
    if save:
        io = importlib.import_module("bokeh.io")
        resources = importlib.import_module("bokeh.resources").INLINE
        title = figure.title.text or "Profile"
        io.save(figure, filename, resources=resources, title=title)
    if show:
        if in_notebook:
            plotting.output_notebook(hide_banner=True)
        plotting.show(figure)
    return figure


def _figure(plotting: Any, prof: Profiler, kwargs: dict[str, Any]) -> Any:
    profile = importlib.import_module("plait.diagnostics.profile")
    lanes = max(len(profile.lanes_of(prof.results)), 1)
    said = {
        "title": "Profile",
        "tools": "hover,save,reset,xwheel_zoom,xpan",
        "width": 800,
        "height": 100 + 30 * lanes,
        **kwargs,
    }
    figure = plotting.figure(**said)
    figure.xaxis.axis_label = "Time (s)"
    figure.yaxis.axis_label = "Worker"
    figure.grid.visible = False
    return figure


def _draw(figure: Any, prof: Profiler, palette: str) -> None:
    profile = importlib.import_module("plait.diagnostics.profile")
    models = importlib.import_module("bokeh.models")
    results = prof.results
    begin = min(task.start_time for task in results)
    lanes = profile.lanes_of(results)
    names = [profile.name_of(task.key) for task in results]
    source = models.ColumnDataSource(
        {
            "lane": [lanes[task.worker_id] for task in results],
            "left": [task.start_time - begin for task in results],
            "right": [task.end_time - begin for task in results],
            "name": names,
            "key": [str(task.key) for task in results],
            "took": [
                f"{1e3 * (task.end_time - task.start_time):.3f} ms"
                for task in results
            ],
            "color": _colours(palette, names),
        }
    )
    figure.hbar(
        y="lane",
        left="left",
        right="right",
        height=0.8,
        fill_color="color",
        line_color="white",
        source=source,
    )
    figure.yaxis.ticker = sorted(lanes.values())
    for hover in figure.select(type=models.HoverTool):
        hover.tooltips = [
            ("task", "@name"),
            ("key", "@key"),
            ("took", "@took"),
        ]


def _colours(palette: str, names: list[str]) -> list[str]:
    """A colour for each name, far from the others."""
    palettes = importlib.import_module("bokeh.palettes").all_palettes
    if palette not in palettes:
        raise ValueError(f"Bokeh has no palette {palette!r}")
    widest = palettes[palette][max(palettes[palette])]
    different = sorted(set(names))
    step = len(widest) / len(different)
    chosen = {
        name: widest[int(number * step)]
        for number, name in enumerate(different)
    }
    return [chosen[name] for name in names]
