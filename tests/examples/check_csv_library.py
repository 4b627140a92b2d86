#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""csv_pipeline as a library for `plait run`: the same numbers to the last digit
as data, and its failures."""

import glob
import json
import os
import tempfile
import unittest

import expected
import tap

PLAIT = tap.built("src/cli/plait")
LIBRARY = tap.built("examples/csv_pipeline/csv_pipeline.so")
PROGRAM = tap.built("examples/csv_pipeline/csv_pipeline")
SAMPLE = sorted(glob.glob(tap.source("examples/data/*.csv")))
EXACT = 1e-12


class Library(unittest.TestCase):
    def test_data_for_programs(self):
        done = tap.run(PLAIT, "run", "--json", LIBRARY, "--format", "data",
                       "--group", "carrier:arr_delay", *SAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)
        wrong = expected.differences(
            json.loads(done.stdout),
            expected.summarize(SAMPLE, [("carrier", "arr_delay")]), EXACT)
        self.assertEqual(wrong, [])

    def test_the_same_text_as_the_program(self):
        arguments = ["--group", "origin:distance", *SAMPLE]
        by_command = tap.run(PLAIT, "run", LIBRARY, *arguments)
        by_program = tap.run(PROGRAM, *arguments)
        self.assertEqual(by_command.returncode, 0, by_command.stderr)
        self.assertEqual(by_command.stdout.rstrip("\n"),
                         by_program.stdout.rstrip("\n"))

    def test_names_that_json_must_escape(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "in.csv")
            with open(path, "wb") as file:
                file.write(b'"a ""b""\n\\",k\n1,"x\n"\n')
            done = tap.run(PLAIT, "run", "--json", LIBRARY, "--format", "data",
                           "--group", 'k:a "b"\n\\', path)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual(found["columns"][0]["name"], 'a "b"\n\\')
        self.assertEqual(found["groups"][0]["groups"],
                         [{"key": "x\n", "count": 1, "mean": 1}])

    def test_a_broken_file_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "in.csv")
            with open(path, "w") as file:
                file.write("a,b\n1,2\n3\n")
            done = tap.run(PLAIT, "run", LIBRARY, path, *SAMPLE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{path}:3: the row has 1 field", done.stderr)

    def test_bad_arguments(self):
        for arguments, cause in ((["--group", "x"], "KEY:VALUE"),
                                 ([], "no files")):
            done = tap.run(PLAIT, "run", LIBRARY, *arguments)
            self.assertNotEqual(done.returncode, 0)
            self.assertEqual(done.stdout, "")
            self.assertIn(cause, done.stderr)


if __name__ == "__main__":
    tap.main()
