# SPDX-License-Identifier: BSD-3-Clause
"""A pytest plugin that runs a suite of Dask's with another package's functions.

The suite is the installed one, in its place. Only what it sees is exchanged:
the names that it imports from Dask (suites.py has them), and `dask.delayed`
itself while a test of it runs. Dask's own modules keep theirs, as they do in a
user's program. Dask's own scheduler raises meanwhile, and a test that never
calls into the package has failed: nobody can fall back on Dask unnoticed.
"""

from __future__ import annotations

import contextlib
import importlib
import pathlib
import sys

import must_pass
import pytest
import suites

# These import what is exchanged, and must do so while it is Dask's.
USERS = ("dask.array", "dask.bag", "dask.cache", "dask.dataframe",
         "dask.diagnostics", "dask.distributed")


class DaskRan(BaseException):
    """No `except Exception` hides that Dask's own scheduler ran."""


def _raise(*_args, **_kwargs):
    # The globals of this code are those of dask.local when it is called.
    from stand_in import DaskRan
    raise DaskRan("Dask's own scheduler ran")


@contextlib.contextmanager
def dask_refuses():
    """Makes dask.local.get_async raise, whoever holds a reference to it."""
    from dask.local import get_async
    code, defaults = get_async.__code__, get_async.__defaults__
    get_async.__code__, get_async.__defaults__ = _raise.__code__, None
    try:
        yield
    finally:
        get_async.__code__, get_async.__defaults__ = code, defaults


@contextlib.contextmanager
def exchanged(place, values):
    """Sets attributes, and sets them back."""
    before = {name: getattr(place, name) for name in values}
    for name, value in values.items():
        setattr(place, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(place, name, value)


class Calls:
    """Counts this thread's calls into a package, of Python or C functions."""

    def __init__(self, package):
        self.package = package
        self.count = 0

    def owns(self, name):
        return isinstance(name, str) and name.split(".")[0] == self.package

    def see(self, frame, event, function):
        if event == "call":
            self.count += self.owns(frame.f_globals.get("__name__"))
        elif event == "c_call":
            owner = type(function.__self__)
            self.count += (self.owns(function.__module__)
                           or self.owns(owner.__module__))

    def __enter__(self):
        sys.setprofile(self.see)
        return self

    def __exit__(self, *_raised):
        sys.setprofile(None)


def name_of(nodeid):
    """What a list calls a test: all that comes after the file."""
    return nodeid.split("::", 1)[1]


class StandIn:
    """What the suite is given, and what came of it."""

    def __init__(self, package, suite, path):
        self.package = package
        self.suite = suite
        self.words = must_pass.read(path)
        self.found = set()
        self.outcomes = {}
        self.problems = []
        for name in USERS:
            importlib.import_module(name)
        self.ours = {place: self.values_of(place, names)
                     for place, names in suite.names.items()}
        self.wide = {name: self.ours["dask.delayed"][name]
                     for name in suite.everywhere}

    def values_of(self, place, names):
        """Of our module that corresponds to one of Dask's."""
        module = importlib.import_module(self.package + place[len("dask"):])
        return {name: getattr(module, name) for name in names
                if hasattr(module, name)}

    def may_dask_run(self, name):
        return self.package == "dask" or self.words.get(name) == "both"

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self, collector):
        if not isinstance(collector, pytest.Module):
            return (yield)
        with contextlib.ExitStack() as stack:
            for place, ours in self.ours.items():
                stack.enter_context(exchanged(sys.modules[place], ours))
            stack.enter_context(exchanged(sys.modules["dask"], self.wide))
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config, items):
        self.found = {name_of(item.nodeid) for item in items}
        void = [item for item in items
                if self.words.get(name_of(item.nodeid)) == "void"]
        items[:] = [item for item in items if item not in void]
        config.hook.pytest_deselected(items=void)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        with contextlib.ExitStack() as stack:
            stack.enter_context(exchanged(sys.modules["dask"], self.wide))
            if not self.may_dask_run(name_of(item.nodeid)):
                stack.enter_context(dask_refuses())
            calls = stack.enter_context(Calls(self.package))
            result = yield
        assert calls.count, f"no call into {self.package}"
        return result

    def pytest_runtest_logreport(self, report):
        name = name_of(report.nodeid)
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[name] = report.outcome

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session):
        self.problems = must_pass.problems(self.words, self.found,
                                           self.outcomes)
        if self.problems and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        for text in self.problems:
            terminalreporter.write_line(f"must pass: {text}")


def pytest_addoption(parser):
    group = parser.getgroup("stand-in")
    group.addoption("--stand-in", help="the package that is used")
    group.addoption("--suite", help="the name of what is exchanged")
    group.addoption("--must-pass", type=pathlib.Path, help="the list")


def pytest_configure(config):
    config.pluginmanager.register(
        StandIn(config.getoption("--stand-in"),
                suites.SUITES[config.getoption("--suite")],
                config.getoption("--must-pass")))
