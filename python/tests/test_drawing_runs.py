# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of runs: by the time that tasks took, and those that C draws."""


import pytest

import plait
from plait import _core, compute, start
from watching import fan


def colours(picture):
    lines = picture.data.decode().splitlines()
    return [line for line in lines if "fillcolor=\"#" in line]


def test_a_picture_by_the_time_that_tasks_took():
    task = fan(3)
    with _core.profile() as seen:
        compute(task, observers=[seen])
        picture = task.visualize(None, format="dot", color="time",
                                 profile=seen)
    assert len(colours(picture)) == 4
    assert all(" ms" in line for line in colours(picture))


def test_a_picture_of_a_run_by_time():
    with _core.profile() as seen:
        run = start(fan(3), observers=[seen])
        run.wait()
        picture = run.visualize(None, format="dot", profile=seen)
        states = run.visualize(None, format="dot")
    assert all(" ms" in line for line in colours(picture))
    assert len(colours(picture)) == len(colours(states)) == 4
    assert all("done" in line for line in colours(states))


def test_a_picture_of_what_a_profiler_saw():
    task = fan(3)
    with plait.diagnostics.Profiler() as prof:
        task.compute()
    picture = task.visualize(None, format="dot", color="time", profile=prof)
    assert len(colours(picture)) == 4


# ---- pictures that C draws ----


def test_c_draws_what_delayeds_need(tmp_path):
    _core.draw([fan(2)], tmp_path / "graph.dot")
    text = (tmp_path / "graph.dot").read_text()
    assert all(name in text for name in ("add-0", "add-1", "sum-0"))


def test_c_draws_a_run_by_the_time_that_tasks_took(tmp_path):
    path = tmp_path / "run.dot"
    with _core.profile() as seen, _core.profile() as other:
        run = start(fan(2), observers=[seen])
        run.wait()
        _core.draw(run, path, profile=seen)
        assert "plait-" in path.read_text() and "add-1" in path.read_text()
        _core.draw(run, path)
        assert "plait-" not in path.read_text() and "add-1" in path.read_text()
        with pytest.raises(ValueError, match="no profile that watched"):
            _core.draw(run, path, profile=other)
        with pytest.raises(ValueError, match="is for a Run"):
            _core.draw(run.targets, path, profile=seen)


def test_what_c_can_t_draw(tmp_path):
    with pytest.raises(ValueError, match="extension"):
        _core.draw([fan(2)], tmp_path / "graph")
    with pytest.raises(OSError):
        _core.draw([fan(2)], tmp_path / "nowhere" / "graph.dot")
    with pytest.raises(TypeError, match="no Delayed"):
        _core.draw([1], tmp_path / "graph.dot")
