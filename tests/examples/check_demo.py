#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tools/demo says what it promises, and its numbers are those of pandas over
the same files: over all flights where PyPI can be reached, else over the sample,
there by the standard library too."""

import glob
import json
import os
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as xml

import expected
import tap

DEMO = tap.source("tools/demo")
PLAIT = tap.built("src/cli/plait")
LIBRARY = tap.built("examples/csv_pipeline/csv_pipeline.so")
HERE = os.path.dirname(os.path.abspath(__file__))
N_FLIGHTS = 336776
EXACT = 1e-10
PRINTED = 5e-6


def has_pandas(python):
    return os.path.exists(python) and subprocess.run(
        [python, "-c", "import pandas"], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL).returncode == 0


def find_pandas():
    """A Python with pandas, got for this test when there is none; None, with
    the reason in the log, when it can't be had."""
    ours = tap.built("tests/examples/pandas-venv/bin/python")
    for python in (tap.source(".venv/bin/python"), ours, sys.executable):
        if has_pandas(python):
            return python
    base = "/usr/bin/python3"
    base = base if os.path.exists(base) else sys.executable
    folder = os.path.dirname(os.path.dirname(ours))
    for command in ([base, "-m", "venv", folder],
                    [ours, "-m", "pip", "install", "--quiet",
                     "--disable-pip-version-check", "--retries", "1",
                     "--timeout", "15", "pandas>=2.0"]):
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding="utf-8")
        if done.returncode != 0:
            tap.note("pandas can't be had:\n" + done.stdout.strip())
            return None
    return ours


class Demo(unittest.TestCase):
    """One run of the demo, in a folder that is named as a user might."""

    def run_demo(self, name, environment):
        out = tap.built(f"tests/examples/{name}")
        shutil.rmtree(out, ignore_errors=True)
        # What was found in an earlier run must not be added to.
        os.makedirs(out)
        with open(os.path.join(out, "pipeline.log"), "w") as file:
            file.write("of an earlier run\n")
        done = tap.run(DEMO, os.environ["PLAIT_BUILD"], out,
                       env=dict(os.environ, **environment))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn(out, done.stdout)
        self.check_files(out, done.stdout)
        return out, done.stdout

    def check_files(self, out, stdout):
        with open(os.path.join(out, "summary.txt")) as file:
            self.assertIn(file.read().strip(), stdout)
        with open(os.path.join(out, "pipeline.log")) as file:
            log = file.read()
        self.assertNotIn("of an earlier run", log)
        self.assertEqual(log.count(" rows, "), 12, log)
        with open(os.path.join(out, "trace.json")) as file:
            trace = json.load(file)
        events = trace["traceEvents"] if isinstance(trace, dict) else trace
        names = [event.get("name", "") for event in events]
        for function in ("load_data", "clean_data", "analyze", "summarize"):
            self.assertTrue(any(name.startswith(function) for name in names),
                            function)
        self.check_picture(out)

    def check_picture(self, out):
        root = xml.parse(os.path.join(out, "graph.svg")).getroot()
        self.assertTrue(root.tag.endswith("svg"))
        text = " ".join(root.itertext())
        self.assertIn("load_data", text)
        self.assertIn("summarize", text)

    def exact_summary(self, paths):
        done = tap.run(PLAIT, "run", "--json", LIBRARY, "--format", "data",
                       "--group", "carrier:arr_delay", *paths)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def compare(self, out, paths, right):
        """The demo's table, and the data that it was printed from."""
        self.assertEqual(
            expected.differences(self.exact_summary(paths), right, EXACT), [])
        with open(os.path.join(out, "summary.txt")) as file:
            printed = expected.parse(file.read())
        self.assertEqual(expected.differences(printed, right, PRINTED), [])

    def by_pandas(self, python, paths):
        done = tap.run(python, os.path.join(HERE, "pandas_summary.py"),
                       "carrier:arr_delay", *paths)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_without_a_network_it_reads_the_sample_and_says_so(self):
        out, stdout = self.run_demo("demo-sample", {"PLAIT_DEMO_SAMPLE": "1"})
        self.assertIn("sample", stdout)
        paths = sorted(glob.glob(tap.source("examples/data/*.csv")))
        self.compare(out, paths, expected.summarize(
            paths, [("carrier", "arr_delay")]))

    def test_the_numbers_are_those_of_pandas(self):
        out, stdout = self.run_demo("demo", {"PLAIT_DEMO_SAMPLE": ""})
        fetched = "sample" not in stdout
        folder = "build/flights" if fetched else "examples/data"
        paths = sorted(glob.glob(tap.source(f"{folder}/flights-2013-*.csv")))
        self.assertEqual(len(paths), 12)
        python = find_pandas()
        if python:
            right = self.by_pandas(python, paths)
        else:
            right = expected.summarize(paths, [("carrier", "arr_delay")])
        tap.note(f"compared {right['rows']} rows with "
                 + ("pandas" if python else "the standard library"))
        if fetched:
            self.assertEqual(right["rows"], N_FLIGHTS)
        self.compare(out, paths, right)


if __name__ == "__main__":
    tap.main()
