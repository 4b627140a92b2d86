# SPDX-License-Identifier: BSD-3-Clause
"""The harness notices what it is there to notice."""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent

# Has Delayed and delayed of its own, and leaves the computing to Dask.
PRETENDER = """
from dask.delayed import Delayed as DaskDelayed, delayed as dask_delayed

class Delayed(DaskDelayed):
    pass

def delayed(*args, **kwargs):
    return dask_delayed(*args, **kwargs)
"""

SUITE = """
import dask, pytest
from dask.delayed import Delayed, delayed
from operator import add

def test_good():
    assert Delayed.__module__ == delayed.__module__ == "pretender.delayed"
    assert dask.delayed is delayed
    assert delayed(1).key

def test_falls_back():
    try:
        delayed(add)(1, 2).compute()
    except Exception:
        pass

def test_falls_back_openly():
    assert delayed(add)(1, 2).compute() == 3

@pytest.mark.parametrize("number", [1, 2])
def test_two(number):
    delayed(number)

def test_idle():
    pass

@pytest.mark.skip
def test_skipped():
    delayed(1)

def test_skips():
    delayed(1)
    pytest.skip("no")

@pytest.mark.xfail
def test_expected_to_fail():
    delayed(1)
    assert False

@pytest.fixture
def broken():
    yield
    assert False

def test_broken_at_its_end(broken):
    delayed(1)

def test_void():
    assert False

def test_unlisted():
    delayed(1)
"""

LIST = """
pass test_good
pass test_falls_back
both test_falls_back_openly  # a reason
pass test_two[1]
pass test_two[2]
pass test_idle
pass test_skipped
pass test_skips
pass test_expected_to_fail
pass test_broken_at_its_end
pass test_missing
void test_void  # a reason
"""

PROBLEMS = """
must pass: test_falls_back: failed
must pass: test_idle: failed
must pass: test_skipped: skipped
must pass: test_skips: skipped
must pass: test_expected_to_fail: failed
must pass: test_broken_at_its_end: failed
must pass: test_missing: not in the suite
must pass: test_unlisted: not in the list
"""


def run(*words, cwd=None):
    environment = dict(os.environ, PYTHONPATH=str(cwd)) if cwd else None
    done = subprocess.run(
        [sys.executable, str(HERE / "run_suites.py"), "--tb=short", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        cwd=cwd, env=environment, check=False)
    said = [line for line in done.stdout.splitlines()
            if line.startswith("must pass: ")]
    return done.returncode, said, done.stdout


@pytest.fixture
def suite(tmp_path):
    """Runs the little suite above, with another list if one is given."""
    package = tmp_path / "pretender"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "delayed.py").write_text(PRETENDER)
    (tmp_path / "test_little.py").write_text(SUITE)

    def run_it(*words, text=LIST):
        (tmp_path / "list.txt").write_text(text)
        return run("--stand-in=pretender", "--module=test_little",
                   "--list=list.txt", *words, cwd=tmp_path)

    return run_it


def test_dask_in_its_own_place_passes():
    """All but the two that Dask itself expects to fail."""
    status, problems, output = run("--stand-in=dask")
    assert problems == ["must pass: test_pickle[modlevel_delayed1]: failed",
                        "must pass: test_pickle[modlevel_delayed2]: failed"]
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "\n2 failed, " in output


def test_every_way_of_not_passing_is_noticed(suite):
    status, problems, output = suite()
    assert problems == PROBLEMS.split("\n")[1:-1], output
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "Dask's own scheduler ran" in output
    assert "no call into pretender" in output


def test_a_deselected_test_is_noticed(suite):
    text = "\n".join(line for line in LIST.splitlines()
                     if "good" in line or "two" in line)
    every = "".join(f"\nvoid {name}  # a reason" for name in (
        "test_falls_back", "test_falls_back_openly", "test_idle",
        "test_skipped", "test_skips", "test_expected_to_fail",
        "test_broken_at_its_end", "test_void", "test_unlisted"))
    status, problems, output = suite(text=text + every)
    assert (status, problems) == (pytest.ExitCode.OK, []), output
    status, problems, output = suite("-k", "good or 2", text=text + every)
    assert problems == ["must pass: test_two[1]: deselected"], output
    assert status == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("text", [
    "", "perhaps test_good", "pass", "void test_good",
    "pass test_good\npass test_good",
])
def test_a_bad_list_is_refused(suite, text):
    status, _, output = suite(text=text)
    assert status == 1
    assert output.startswith("run_suites.py: ")


def test_a_suite_that_cannot_be_imported_fails(suite):
    status, _, _ = suite("--module=test_nowhere")
    assert status not in (0, pytest.ExitCode.NO_TESTS_COLLECTED)
