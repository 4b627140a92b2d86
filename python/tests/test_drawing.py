# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of graphs: by Graphviz, and as text."""

import operator
import os
import sys
import types

import pytest

from plait import _core
from plait.base import annotate, compute, start, visualize
from plait.callbacks import Callback
from plait.delayed import delayed
from plait.diagnostics import Profiler
from plait.sketch import Sketch, shade


@delayed
def load_data(path):
    return [path]


@delayed
def clean(rows):
    return rows


@delayed
def summarize(results):
    return len(results)


def pipeline(n=2):
    return summarize([clean(load_data(f"file_{i}.csv")) for i in range(n)])


TREE = """\
summarize
├── clean
│   └── load_data('file_0.csv')
└── clean
    └── load_data('file_1.csv')"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def notebook(monkeypatch):
    fake = types.SimpleNamespace(
        get_ipython=lambda: types.SimpleNamespace(kernel=object()),
        display=types.SimpleNamespace(display=None),
    )
    fake.display.display = lambda *args, **kwargs: None
    monkeypatch.setitem(sys.modules, "IPython", fake)


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setenv("PATH", "")


# ---- text ----


def test_a_tree(here):
    made = pipeline().visualize(format="text")
    assert str(made) == repr(made) == TREE
    assert os.listdir(here) == []


def test_a_tree_in_a_file(here):
    pipeline().visualize(filename="tree.txt")
    assert (here / "tree.txt").read_text() == TREE + "\n"


def test_a_tree_of_what_several_need():
    loaded = load_data("a.csv")
    made = visualize(
        summarize([clean(loaded), loaded]), clean(loaded), format="text"
    )
    assert str(made) == (
        "summarize\n"
        "├── clean\n"
        "│   └── load_data('a.csv')\n"
        "└── load_data('a.csv')\n"
        "clean\n"
        "└── load_data('a.csv')"
    )


def test_a_tree_shows_what_was_shown_in_a_line():
    cleaned = clean(load_data("a.csv"))
    made = summarize([cleaned, cleaned + cleaned]).visualize(format="text")
    assert str(made).count("load_data") == 1
    assert str(made).count("clean (see above)") == 1


def test_a_tree_of_a_deep_graph():
    task = load_data("a.csv")
    for _ in range(5_000):
        task = clean(task)
    made = str(task.visualize(format="text"))
    assert made.endswith("… and 4,501 more tasks")
    assert len(made.splitlines()) == 501


def test_arguments_are_shown_when_they_are_short():
    task = delayed(print)(1, None, "a" * 100, [1, 2], sep="-", end=load_data(1))
    first = str(task.visualize(format="text")).splitlines()[0]
    assert first == f"print(1, None, '{'a' * 22}…, sep='-')"


# ---- Graphviz ----


def test_the_text_that_graphviz_reads(here):
    pipeline().visualize(filename="graph.dot", rankdir="LR")
    text = (here / "graph.dot").read_text()
    assert text.startswith("digraph plait {") and 'rankdir="LR"' in text
    assert text.count("->") == 4
    assert text.count('label="clean"') == 2
    assert """label="load_data('file_0.csv')\"""" in text


def test_labels_are_quoted(here):
    picture = load_data('a "b" \\ c').visualize(
        filename=None, format="dot", node_attr={"color": "red"}
    )
    text = picture.data.decode()
    assert r'''label="load_data('a \"b\" \\\\ c')"''' in text
    assert 'color="red"' in text


@pytest.mark.parametrize(
    "name, begin",
    [("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")],
)
def test_formats(here, name, begin):
    picture = pipeline().visualize(filename=name)
    assert (here / name).read_bytes() == picture.data
    assert picture.data.startswith(begin)
    assert picture.filename == name and repr(name) in repr(picture)


def test_the_format_can_be_said(here):
    pipeline().visualize(filename="a", format="svg")
    pipeline().visualize(filename="b.svg", format="png")
    pipeline().visualize(filename="c.d", format="dot")
    pipeline().visualize()
    written = ["a.svg", "b.png", "c.d.dot", "plait.png"]
    assert sorted(os.listdir(here)) == written


def test_no_file(here):
    picture = pipeline().visualize(filename=None)
    assert "<svg" in picture._repr_mimebundle_()["image/svg+xml"]
    assert os.listdir(here) == []


def test_an_unknown_format(here):
    with pytest.raises(ValueError, match="nonsense"):
        pipeline().visualize(filename="a.nonsense")


def test_an_unknown_engine():
    with pytest.raises(ValueError, match="engine nonsense not recognized"):
        pipeline().visualize(engine="nonsense")


def test_too_many_to_be_drawn(here):
    with pytest.raises(ValueError, match="3,001 tasks are too many"):
        pipeline(1_500).visualize()
    pipeline(1_500).visualize(filename="a.dot")


def test_without_graphviz(here, no_graphviz):
    with pytest.warns(UserWarning, match="not installed") as told:
        made = pipeline().visualize()
    assert str(made) == TREE
    assert told[0].filename == __file__
    assert os.listdir(here) == []


def test_what_dask_knows_more_is_taken():
    made = pipeline().visualize(
        filename=None, format="dot", optimize_graph=True, verbose=True
    )
    assert made.format == "dot"


# ---- colours ----


def test_coloured_by_order():
    text = str(pipeline().visualize(format="text", color="order"))
    assert text.splitlines()[0] == "summarize  [4]"
    assert "load_data('file_0.csv')  [0]" in text
    dot = pipeline().visualize(filename=None, format="dot", color="order")
    assert 'fillcolor="#' in dot.data.decode()


def zigzag():
    """A graph that isn't run in the order in which it is walked: the first
    target needs all, and the others free the memory of theirs early."""
    add = delayed(operator.add)
    parts = [add(i, 1, dask_key_name=f"part-{i}") for i in range(4)]
    pairs = [add(parts[i], parts[3 - i], dask_key_name=f"pair-{i}")
             for i in range(4)]
    total = delayed(sum)(pairs[::2] + parts, dask_key_name="total")
    return [total, *pairs, delayed(1, name="value")]


def test_the_order_is_that_of_a_run():
    ran = []
    with Callback(pretask=lambda key, *_: ran.append(key)):
        compute(*zigzag(), scheduler="sync")
    assert [task.key for task in _core.order(zigzag())] == ran
    sketch = Sketch(zigzag())
    sketch.paint_order()
    notes = {box.task.key: box.note for box in sketch.boxes}
    assert notes.pop("value") == ""
    assert notes == {key: str(place) for place, key in enumerate(ran)}
    assert _core.order([]) == []


def test_a_priority_changes_the_order():
    def coloured(**first):
        with annotate(**first):
            one = delayed(abs)(-1, dask_key_name="one")
        with annotate(priority=1):
            two = delayed(abs)(-2, dask_key_name="two")
        return [task.key for task in _core.order([one, two])]

    assert coloured() == ["two", "one"]
    assert coloured(priority=2) == ["one", "two"]


def test_coloured_by_time():
    task = pipeline()
    with Profiler() as prof:
        task.compute()
    text = str(task.visualize(format="text", color="time", profile=prof))
    assert all(line.endswith(" ms]") for line in text.splitlines())
    with pytest.raises(ValueError, match="needs profile="):
        task.visualize(color="time")


def test_coloured_by_the_time_that_c_noted():
    task = pipeline()
    with _core.profile() as prof:
        run = start(task, observers=[prof])
        run.wait()
        text = str(run.visualize(format="text", profile=prof))
    assert all(line.endswith(" ms]") for line in text.splitlines())


def test_coloured_by_state():
    good = load_data("a.csv", dask_key_name="good")
    bad = delayed(operator.truediv)(1, 0)
    last = summarize([good, clean(bad)])
    run = start(last)
    run.wait()
    text = str(run.visualize(format="text"))
    assert text.splitlines() == [
        "summarize  [skipped]",
        "├── load_data('a.csv')  [done]",
        "└── clean  [skipped]",
        "    └── truediv(1, 0)  [errored]",
    ]
    with pytest.raises(ValueError, match="needs run="):
        last.visualize(color="state")


def test_an_unknown_colour():
    with pytest.raises(NotImplementedError, match="did you mean 'order'"):
        pipeline().visualize(color="ordr")


def test_shades_go_from_dark_to_light():
    shades = [shade(n / 10) for n in range(11)]
    lights = [
        sum(int(one[at : at + 2], 16) for at in (1, 3, 5)) for one in shades
    ]
    assert lights == sorted(lights) and len(set(shades)) == 11
    assert shade(-1) == shade(0) and shade(2) == shade(1)


# ---- in a notebook ----


def test_a_small_one_is_drawn():
    task = pipeline()
    bundle = task._repr_mimebundle_()
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == repr(task)
    assert task._repr_svg_() and task._repr_html_() is None


def test_a_small_one_without_graphviz_is_a_tree(no_graphviz):
    task = pipeline()
    bundle = task._repr_mimebundle_()
    assert bundle == {"text/plain": f"{task!r}\n{TREE}"}
    assert task._repr_svg_() is None


def test_200_tasks_are_drawn_and_more_are_counted():
    few, many = pipeline(99) + 1, pipeline(1_000)
    assert "image/svg+xml" in few._repr_mimebundle_()
    bundle = many._repr_mimebundle_()
    line = "2,001 tasks: 1,000 load_data, 1,000 clean, 1 summarize"
    assert bundle["text/plain"] == f"{many!r}: {line}"
    assert line in bundle["text/html"]
    assert many._repr_html_() and many._repr_svg_() is None


def test_a_notebook_shows_svg_and_writes_nothing(here, notebook):
    picture = pipeline().visualize()
    assert picture.format == "svg"
    assert os.listdir(here) == []
    pipeline().visualize(filename="a.png")
    assert os.listdir(here) == ["a.png"]
