#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""partial_success, fifty_calls and single_log say what they promise."""

import os
import re
import tempfile
import unittest

import tap


class FiftyCalls(unittest.TestCase):
    def test_all_results_in_order_and_five_at_a_time(self):
        done = tap.run(tap.built("examples/fifty_calls"))
        self.assertEqual(done.returncode, 0, done.stderr)
        squares, last = done.stdout.splitlines()
        self.assertEqual([int(word) for word in squares.split()],
                         [i * i for i in range(50)])
        self.assertEqual(last, "sum 40425; 50 calls, at most 5 at a time")


class PartialSuccess(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.program = tap.built("examples/partial_success")

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_three_ways_around_broken_files(self):
        good = self.write("good", "1\n2.5\n")
        bad = self.write("bad", "1\nx y\n3\n")
        also_good = self.write("also good", "4")
        missing = os.path.join(self.folder.name, "missing")
        done = tap.run(self.program, good, bad, missing, also_good)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0], "safe: sum 7.5 of 2 files, 2 failed")
        self.assertRegex(lines[1], r"^collect: failed: sum_file-\d+: "
                         + re.escape(f"{bad}:2: this is no number: x y") + "$")
        self.assertRegex(lines[2], r"^collect: failed: sum_file-\d+: "
                         + re.escape(f"{missing}: cannot be opened: ")
                         + "No such file or directory$")
        self.assertEqual(lines[3], "collect: sum 7.5 of 2 files, 2 failed")
        self.assertEqual(lines[4], f"accept: broken: {bad}, {missing}; "
                         "sum 7.5 of 2 files, 2 failed")
        self.assertEqual(len(lines), 5)

    def test_nothing_broken(self):
        done = tap.run(self.program, self.write("good", "1\n"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines(),
                         ["safe: sum 1 of 1 files, 0 failed",
                          "collect: sum 1 of 1 files, 0 failed",
                          "accept: sum 1 of 1 files, 0 failed"])

    def test_no_files_is_bad_usage(self):
        self.assertEqual(tap.run(self.program).returncode, 2)


class SingleLog(unittest.TestCase):
    LINE = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[([^\]]+)\] "
                      r"INFO (work-\d+): input (\d+): step (\d+) of 40$")

    def test_every_line_is_whole_and_names_its_task(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "one.log")
            with open(path, "w") as file:
                file.write("of an earlier run\n")
            done = tap.run(tap.built("examples/single_log"), path, 30, 40)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(done.stdout.strip(),
                             f"logged 1201 lines, {path} has 1201")
            with open(path) as file:
                lines = file.read().splitlines()
        *work, last = lines
        found = [self.LINE.match(line) for line in work]
        self.assertNotIn(None, found)
        self.assertEqual(sorted((int(m[3]), int(m[4])) for m in found),
                         [(i, step) for i in range(30)
                          for step in range(1, 41)])
        # One task, one input.
        self.assertEqual(len({(m[2], m[3]) for m in found}), 30)
        self.assertTrue(last.endswith(r"all done:\n1200 lines"), last)

    def test_a_log_that_cannot_be_opened(self):
        done = tap.run(tap.built("examples/single_log"), "/nowhere/x.log")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/x.log", done.stderr)


if __name__ == "__main__":
    tap.main()
