# SPDX-License-Identifier: BSD-3-Clause
"""Whole programs: the example's pipeline, and the guide."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

import plait
from c_library import ROOT, build
from plait import delayed

ROWS = ["carrier,delay", "AA,1", "AA,3", "BB,10", ",", "BB,NA"]


@pytest.fixture(scope="module")
def csv(folder):
    sources = sorted((ROOT / "examples" / "csv_pipeline").glob("*.c"))
    parts = [one for one in sources if one.name != "csv_pipeline.c"]
    return plait.native(build(folder / "csv_pipeline.so", *parts, "-lcsv",
                              "-lm"))


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"file_{i}.csv" for i in range(5)]
    for one in paths:
        one.write_text("\n".join(ROWS) + "\n")
    return [str(one) for one in paths]


def analyses(csv, files):
    for one in files:
        yield csv.analyze(csv.clean_data(csv.load_data(one)),
                          ["carrier", "delay"])


def test_the_csv_pipeline(csv, files, scheduler):
    summary = csv.summarize(list(analyses(csv, files)), True).compute()
    assert summary["files"] == 5
    assert summary["rows"] == 25
    groups = summary["groups"][0]["groups"]
    assert {one["key"]: one["mean"] for one in groups} == {"AA": 2, "BB": 10}
    text = csv.summarize(list(analyses(csv, files)), False).compute()
    assert "carrier" in text


def test_the_csv_pipeline_with_steps_in_python(csv, files, scheduler):
    @delayed
    def path_of(i):
        return files[i]

    @delayed(on_failure="pass")
    def keep(results):
        return plait.split(results)[0]

    os.remove(files[3])
    parts = list(analyses(csv, [path_of(i) for i in range(5)]))
    summary = csv.summarize(keep(parts), True)
    assert summary["files"].compute() == 4
    with pytest.raises(plait.TaskError, match="file_3.csv: cannot be opened"):
        csv.summarize(parts, True).compute()


def test_the_csv_pipeline_with_wrong_arguments(csv, files):
    table = csv.load_data(files[0])
    for call in (csv.load_data(), csv.load_data(3), csv.clean_data(1),
                 csv.analyze(1, []),
                 csv.analyze(csv.clean_data(table), ["carrier", 3]),
                 csv.clean_data(csv.clean_data(table)),
                 csv.summarize([1], True), csv.summarize()):
        with pytest.raises(plait.TaskError):
            call.compute()


def test_the_guide(tmp_path):
    """Its library is built and its programs print what it says."""
    page = (ROOT / "docs" / "guide" / "c-functions.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.M | re.S)
    assert [kind for kind, _ in blocks] == ["c", "py", "text", "py", "text"]
    source = tmp_path / "stats.c"
    source.write_text(blocks[0][1])
    build(tmp_path / "stats.so", source, "-lm")
    for program, expected in (blocks[1:3], blocks[3:5]):
        done = subprocess.run([sys.executable, "-c", program[1]], text=True,
                              cwd=tmp_path, capture_output=True, check=False)
        assert (done.stdout, done.stderr) == (expected[1], "")
