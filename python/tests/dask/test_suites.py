# SPDX-License-Identifier: BSD-3-Clause
"""Dask's own tests of callbacks and diagnostics. Those of delayed are run by
run_suites.py alone."""

import pathlib
import subprocess
import sys

import pytest

pytest.importorskip("dask")

import suites  # noqa: E402

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize(
    "suite", [name for name in suites.SUITES if name != "test_delayed"])
def test_what_must_pass_passes(suite):
    done = subprocess.run(
        [sys.executable, str(HERE / "run_suites.py"), f"--suite={suite}"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False)
    assert done.returncode == 0, done.stdout
