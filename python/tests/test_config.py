# SPDX-License-Identifier: BSD-3-Clause
"""Where a value of the configuration comes from."""

import sys
import warnings

import pytest

from plait import config


@pytest.fixture
def dask_config():
    return pytest.importorskip("dask.config")


@pytest.fixture(autouse=True)
def nothing_set(request, monkeypatch):
    for name in list(config.config):
        monkeypatch.delitem(config.config, name)
    if "dask_config" not in request.fixturenames:
        # None: as if it weren't there; nobody imports it a second time
        monkeypatch.setitem(sys.modules, "dask.config", None)
    for name in ("SCHEDULER", "NUM_WORKERS", "ON_ERROR"):
        monkeypatch.delenv(f"PLAIT_{name}", raising=False)
        monkeypatch.delenv(f"DASK_{name}", raising=False)


def test_nothing_is_set_at_first():
    with pytest.raises(KeyError, match="scheduler"):
        config.get("scheduler")
    assert config.get("scheduler", None) is None
    assert config.get("scheduler", "threads") == "threads"


def test_set_for_a_while():
    with config.set(scheduler="sync"):
        assert config.get("scheduler") == "sync"
        with config.set(scheduler="threads", num_workers=3):
            assert config.get("scheduler") == "threads"
            assert config.get("num_workers") == 3
        assert config.get("scheduler") == "sync"
        assert config.get("num_workers", None) is None
    assert config.get("scheduler", None) is None


def test_set_for_a_while_although_the_block_raises():
    with pytest.raises(ZeroDivisionError):
        with config.set(scheduler="sync"):
            raise ZeroDivisionError
    assert config.get("scheduler", None) is None


def test_set_for_good():
    config.set(num_workers=7)
    assert config.get("num_workers") == 7


def test_the_dict_is_changed_in_place():
    same = config.config
    with config.set(delayed_pure=True) as given:
        assert given is same is config.config
        assert same["delayed_pure"] is True
    assert config.config is same and "delayed_pure" not in same


@pytest.mark.parametrize(
    "values, kwargs",
    [
        ({"visualization.engine": "graphviz"}, {}),
        ({"visualization": {"engine": "graphviz"}}, {}),
        ({}, {"visualization__engine": "graphviz"}),
    ],
)
def test_ways_to_write_a_name(values, kwargs):
    with config.set(values, **kwargs):
        assert config.get("visualization.engine") == "graphviz"
        assert config.get("visualization") == {"engine": "graphviz"}


def test_a_misspelt_name_is_told():
    with pytest.warns(UserWarning, match="'sheduler'.*mean 'sched") as told:
        with config.set(sheduler="sync"):
            assert config.get("sheduler") == "sync"
    assert told[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with config.set({"my.own.setting": 1, "temporary-directory": "/x"}):
            assert config.get("my.own") == {"setting": 1}


def test_hyphens_are_underscores():
    with config.set({"run-timeout": 3}):
        assert config.get("run_timeout") == 3


def test_an_override():
    with config.set(num_workers=3):
        assert config.get("num_workers", override_with=4) == 4
        assert config.get("num_workers", override_with=None) == 3


@pytest.mark.parametrize(
    "text, value",
    [("5", 5), ("2.5", 2.5), ("threads", "threads"), ("true", True),
     ("False", False), ("none", None), ("[1, 2]", [1, 2]), ("a b", "a b")],
)
def test_the_environment(monkeypatch, text, value):
    monkeypatch.setenv("PLAIT_NUM_WORKERS", text)
    assert config.get("num_workers", "default") == value
    with config.set(num_workers="set"):
        assert config.get("num_workers") == "set"


def test_a_dot_in_the_environment(monkeypatch):
    monkeypatch.setenv("PLAIT_VISUALIZATION__ENGINE", "graphviz")
    assert config.get("visualization.engine") == "graphviz"


def test_a_variable_that_comes_and_goes(monkeypatch):
    assert config.is_silent()
    monkeypatch.setenv("PLAIT_RETRIES", "2")
    assert not config.is_silent()
    assert config.get("retries") == 2
    monkeypatch.delenv("PLAIT_RETRIES")
    assert config.is_silent()
    assert config.get("retries", 0) == 0
    monkeypatch.setenv("PLAIT_RETRIES_OF_MINE", "2")
    assert config.get("retries", 0) == 0


def test_an_empty_variable_is_no_value(monkeypatch):
    monkeypatch.setenv("PLAIT_SCHEDULER", "")
    assert config.get("scheduler", "default") == "default"


def test_none_that_is_set_hides_the_environment(monkeypatch):
    monkeypatch.setenv("PLAIT_SCHEDULER", "sync")
    with config.set(scheduler=None):
        assert config.get("scheduler", "default") is None


def test_dask_s_environment_comes_after_ours(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER", "sync")
    assert config.get("scheduler") == "sync"
    monkeypatch.setenv("PLAIT_SCHEDULER", "threads")
    assert config.get("scheduler") == "threads"


def test_what_dask_does_not_know_is_not_asked_of_it(monkeypatch):
    monkeypatch.setenv("DASK_ON_ERROR", "stop")
    assert config.get("on_error", "finish") == "finish"


def test_dask_s_configuration_when_it_is_loaded(dask_config, monkeypatch):
    monkeypatch.setenv("DASK_NUM_WORKERS", "9")  # dask.config has read it
    with dask_config.set({"scheduler": "sync", "num_workers": 4}):
        assert config.get("scheduler") == "sync"
        assert config.get("num_workers") == 4
        with config.set(scheduler="threads"):
            assert config.get("scheduler") == "threads"
        monkeypatch.setenv("PLAIT_SCHEDULER", "processes")
        assert config.get("scheduler") == "processes"
