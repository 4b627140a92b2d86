# SPDX-License-Identifier: BSD-3-Clause
"""The programs in examples/python run as they stand, on each scheduler, and
give the right numbers."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(params=["sync", "threads"])
def run(request, tmp_path):
    """Runs an example in an empty folder; its lines."""

    def run_it(name, *arguments):
        done = subprocess.run(
            [sys.executable, EXAMPLES / "python" / name, *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False, env=dict(os.environ, PLAIT_SCHEDULER=request.param))
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout.splitlines()

    return run_it


def delays(paths):
    """Carrier -> its delays."""
    found = {}
    for path in paths:
        with open(path, newline="") as file:
            for row in csv.DictReader(file):
                if row["arr_delay"] != "NA":
                    found.setdefault(row["carrier"], []).append(
                        int(row["arr_delay"]))
    return found


def as_lines(found):
    means = {name: sum(each) / len(each) for name, each in found.items()}
    return [f"{name} {len(found[name]):,} {means[name]:.2f}"
            for name in sorted(found, key=lambda name: (-means[name], name))]


def test_flights_of_the_sample(run):
    lines = run("flights.py", "--sample")
    paths = (EXAMPLES / "data").glob("flights-2013-*.csv")
    assert lines[0].split() == ["carrier", "flights", "minutes", "late"]
    assert [" ".join(line.split()) for line in lines[1:]] == as_lines(
        delays(paths))


def test_flights_of_given_files(run):
    path = EXAMPLES / "data" / "flights-2013-02.csv"
    lines = run("flights.py", str(path))
    assert [" ".join(line.split()) for line in lines[1:]] == as_lines(
        delays([path]))


def test_partial_success_three_ways(run):
    good = sum(number + 1 for number in range(10) if number not in (3, 7))
    lines = run("partial_success.py")
    assert len(lines) == 3
    assert all(line.startswith(f"sum {good}, without ") for line in lines)
    for line in lines[0], lines[2]:
        assert "file_3.csv" in line and "file_7.csv" in line
        assert line.count("file_") == 2
    assert "2 that failed in clean_data" in lines[1]


def test_single_log(run, tmp_path):
    lines = run("single_log.py")
    total = sum(sum(range(len(f"file_{i}.csv"))) for i in range(100))
    assert lines == [f"{total} in pipeline.log"]
    written = (tmp_path / "pipeline.log").read_text().splitlines()
    pattern = re.compile(r"^[-\d]+ [:,\d]+ \[(plait-\d+|MainThread)\] INFO "
                         r"pipeline: (loading file_\d+\.csv|"
                         r"analyzing \d+ numbers)$")
    assert len(written) == 200
    assert all(pattern.match(line) for line in written)


def test_fifty_calls(run):
    lines = run("fifty_calls.py")
    assert [line.partition(":")[0] for line in lines] == [
        "standard library", "plait's executor", "delayed calls"]
    for line in lines:
        assert ": 1000 to 1049, " in line
        at_once = int(re.search(r"(\d+) at a time", line)[1])
        assert 1 <= at_once <= 5
