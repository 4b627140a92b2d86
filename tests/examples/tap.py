# SPDX-License-Identifier: BSD-3-Clause
"""Runs the unittest cases of a module and reports in TAP."""

import os
import subprocess
import sys
import unittest


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.count = 0

    def report(self, test, passed, text=""):
        self.count += 1
        name = test.id().split(".", 1)[-1]
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        for line in text.splitlines():
            print("# " + line)
        sys.stdout.flush()

    def addSuccess(self, test):
        self.report(test, True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.report(test, False, self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.report(test, False, self.errors[-1][1])


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(
        sys.modules["__main__"])
    print(f"1..{suite.countTestCases()}", flush=True)
    result = Result()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)


def note(text):
    """A line for the reader of the log."""
    for line in text.splitlines():
        print("# " + line, flush=True)


def built(path):
    """A file of the build that is tested."""
    return os.path.join(os.environ["PLAIT_BUILD"], path)


def source(path):
    return os.path.join(os.environ["PLAIT_SOURCE"], path)


def run(*command, **more):
    """Runs a program to its end; its output is text."""
    return subprocess.run([str(word) for word in command],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          encoding="utf-8", errors="replace", timeout=300,
                          **more)
