#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""csv_pipeline as a program: right numbers, and hostile files."""

import glob
import os
import tempfile
import unittest

import expected
import tap

PROGRAM = tap.built("examples/csv_pipeline/csv_pipeline")
SAMPLE = sorted(glob.glob(tap.source("examples/data/*.csv")))
# Six digits are printed.
PRINTED = 5e-6


class Numbers(unittest.TestCase):
    def compare(self, group_bys, *options):
        groups = [word for names in group_bys
                  for word in ("--group", ":".join(names))]
        done = tap.run(PROGRAM, *options, *groups, *SAMPLE)
        self.assertEqual(done.returncode, 0, done.stderr)
        wrong = expected.differences(expected.parse(done.stdout),
                                     expected.summarize(SAMPLE, group_bys),
                                     PRINTED)
        self.assertEqual(wrong, [])
        return done.stdout

    def test_the_sample_has_a_file_a_month(self):
        self.assertEqual(len(SAMPLE), 12)

    def test_the_sample_by_carrier(self):
        self.compare([("carrier", "arr_delay")])

    def test_several_groups_and_none(self):
        self.compare([("origin", "air_time"), ("carrier", "dep_delay")])
        self.compare([])

    def test_any_scheduler_any_workers_the_same_text(self):
        groups = [("carrier", "arr_delay")]
        texts = {self.compare(groups, "--scheduler", "sync")}
        for workers in (1, 2, 7):
            texts.add(self.compare(groups, "--workers", workers))
        self.assertEqual(len(texts), 1)

    def test_the_log_names_tasks_and_files(self):
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, "log")
            self.compare([], "--log", log)
            with open(log) as file:
                text = file.read()
        for path in SAMPLE:
            self.assertIn(f"read {path}: ", text)


class Files(unittest.TestCase):
    """Each is a table, or a clean error that names file and line."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "in.csv")

    def run_on(self, content, *options):
        with open(self.path, "wb") as file:
            file.write(content)
        return tap.run(PROGRAM, *options, self.path)

    def summary(self, content, *options):
        done = self.run_on(content, *options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")
        return expected.parse(done.stdout)

    def fails(self, content, place, cause, *options):
        done = self.run_on(content, *options)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn(f"{self.path}{place}: ", done.stderr)
        self.assertIn(cause, done.stderr)

    def column(self, content):
        return self.summary(content)["columns"][0]

    def test_mark_and_line_ends_make_no_difference(self):
        plain = self.summary(b"a,b\n1,x\n3,y\n")
        self.assertEqual(plain["rows"], 2)
        self.assertEqual(plain["columns"][0]["mean"], 2)
        self.assertEqual(self.summary(b"\xef\xbb\xbfa,b\n1,x\n3,y\n"), plain)
        self.assertEqual(self.summary(b"a,b\r\n1,x\r\n3,y\r\n"), plain)
        self.assertEqual(self.summary(b"a,b\r1,x\r3,y"), plain)

    def test_quotes_with_line_ends(self):
        found = self.summary(b'a,b\n"one\ntwo",1\n"say ""x""",2\n')
        self.assertEqual(found["columns"][0]["distinct"], 2)
        self.assertEqual(found["columns"][1]["mean"], 1.5)

    def test_names_cannot_break_lines(self):
        done = self.run_on(b'"a\nb\x1b[31m",c\n1,2\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("a\\x0ab\\x1b[31m  number", done.stdout)

    def test_header_only(self):
        found = self.summary(b"a,b\n")
        self.assertEqual(found["rows"], 0)
        self.assertEqual(found["columns"][0]["kind"], "empty")
        self.assertEqual(found["columns"][0]["mean"], None)

    def test_no_numeric_column(self):
        found = self.summary(b"a\nx\ny\nx\nNA\n")
        self.assertEqual(found["columns"], [
            {"name": "a", "kind": "text", "count": 3, "missing": 1,
             "mean": None, "std": None, "min": None, "max": None,
             "distinct": 2}])

    def test_missing_values(self):
        found = self.column(b"a,b\n1,x\nNA,x\n,x\nNaN,x\n4,x\n")
        self.assertEqual((found["count"], found["missing"], found["mean"]),
                         (2, 3, 2.5))

    def test_one_value_has_no_deviation(self):
        found = self.column(b"a\n7\n")
        self.assertEqual((found["mean"], found["std"]), (7, None))

    def test_far_from_zero(self):
        rows = b"".join(b"%d\n" % (10**9 + i) for i in (4, 7, 13, 16))
        self.assertAlmostEqual(self.column(b"a\n" + rows)["std"], 30 ** .5,
                               places=4)

    def test_text_among_numbers_is_noted_in_the_log(self):
        log = self.path + ".log"
        self.summary(b"a\n1\n2\noops\n", "--log", log)
        with open(log) as file:
            text = file.read()
        self.assertIn("WARNING", text)
        self.assertIn(f'{self.path}:4: column "a" has numbers, but this is '
                      'none: "oops"', text)

    def test_a_number_out_of_range(self):
        self.fails(b"a\n1\n1e400\n", ":3", "1e400 is too large")

    def test_an_empty_file(self):
        self.fails(b"", "", "the file is empty")

    def test_ragged_rows(self):
        self.fails(b"a,b\n1,2\n3\n", ":3", "1 field, the header has 2")
        self.fails(b'a,b\n"1\n2",2\n3,4,5\n', ":4", "3 fields")

    def test_quotes_that_are_wrong(self):
        self.fails(b'a,b\n1,2\n"3,4\n5,6\n', ":3", "never closed")
        self.fails(b'a,b\n1,2\n3,x"y\n', ":3", "where none may")

    def test_nul_bytes(self):
        self.fails(b"a,b\n1,2\n3,\x00\n", ":3", "NUL")
        self.fails("a,b\n1,2\n".encode("utf-16"), ":1", "NUL")

    def test_two_columns_of_one_name(self):
        self.fails(b"a,b,a\n1,2,3\n", ":1", 'two columns are named "a"')

    def test_groups_that_cannot_be(self):
        content = b"k,x\na,1\n"
        self.fails(content, ":1", 'no column is named "none"',
                   "--group", "none:x")
        self.fails(content, ":1", 'column "k" has text', "--group", "x:k")

    def test_files_that_cannot_be_read(self):
        done = tap.run(PROGRAM, self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.path}: cannot be opened: No such file",
                      done.stderr)
        folder = os.path.dirname(self.path)
        done = tap.run(PROGRAM, folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{folder}: cannot be read: Is a directory", done.stderr)

    def test_one_bad_file_among_good_ones(self):
        self.run_on(b"a\n\"\n")
        done = tap.run(PROGRAM, *SAMPLE, self.path)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{self.path}:2: ", done.stderr)

    def test_a_file_named_like_an_option(self):
        folder = os.path.dirname(self.path)
        with open(os.path.join(folder, "--group"), "w") as file:
            file.write("a\n1\n")
        done = tap.run(PROGRAM, "--", "--group", cwd=folder)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 file, 1 row\n", done.stdout)


class Usage(unittest.TestCase):
    def refused(self, *arguments):
        done = tap.run(PROGRAM, *arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_bad_usage(self):
        self.assertIn("usage", self.refused())
        self.assertIn("usage", self.refused("--workers", "0", "x.csv"))
        self.assertIn("no files", self.refused("--group", "a:b"))
        self.assertIn("--nonsense", self.refused("--nonsense", "x.csv"))
        self.assertIn("KEY:VALUE", self.refused("--group", "a", "x.csv"))
        self.assertIn("KEY:VALUE", self.refused("--group", ":b", "x.csv"))
        self.assertIn("needs a value", self.refused("x.csv", "--group"))
        self.assertIn("text or data", self.refused("--format", "x", "x.csv"))


if __name__ == "__main__":
    tap.main()
