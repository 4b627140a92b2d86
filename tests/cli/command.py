# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the command share: running it, and a report in TAP.

A test is a function that raises when it fails. The scripts are called with the
path of plait and those of the test libraries.
"""

import os
import subprocess
import sys
import tempfile
import traceback

PLAIT = os.path.abspath(sys.argv[1])
LIBRARIES = {os.path.basename(path): os.path.abspath(path)
             for path in sys.argv[2:]}
MODES = LIBRARIES["modes.so"]

for name in ("PLAIT_SCHEDULER", "PLAIT_WORKERS"):
    os.environ.pop(name, None)


def plait(*arguments, **more):
    """Runs plait; a CompletedProcess with text."""
    return subprocess.run([PLAIT, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          encoding="utf-8", errors="surrogateescape",
                          timeout=60, **more)


def equal(got, expected):
    assert got == expected, f"{got!r} is not {expected!r}"


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


def succeeds(done, output):
    equal((done.returncode, done.stdout, done.stderr), (0, output, ""))


def refuses(done, *parts):
    """Bad usage: nothing on standard output, whole lines on the other."""
    equal((done.returncode, done.stdout), (2, ""))
    contains(done.stderr, *parts)
    for line in done.stderr.splitlines():
        assert line.startswith("plait: "), line
    assert done.stderr.endswith("\n")


def main(namespace):
    """Runs the functions named test_…, each in a folder of its own."""
    tests = [(name, function) for name, function in namespace.items()
             if name.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                function()
                print(f"ok {number} - {name}")
            except Exception:
                failed += 1
                print(f"not ok {number} - {name}")
                for line in traceback.format_exc().splitlines():
                    print("#", line.encode("ascii", "backslashreplace")
                          .decode())
            os.chdir("/")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
