# SPDX-License-Identifier: BSD-3-Clause
"""The thread-pool cases of CPython's own tests of concurrent.futures, with
plait's ThreadPoolExecutor in the place of the standard library's.

Debian has them in the package libpython3.11-testsuite. An interpreter that was
installed without its tests is left out, but for the oldest, which must have
them.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import plait

RUN = """\
import importlib
import json
import os
import pkgutil
import sys
import unittest

FOLDER = sys.argv[1]
START = f'''
import sys
sys.path.insert(0, {FOLDER!r})
import concurrent.futures, plait
concurrent.futures.ThreadPoolExecutor = plait.ThreadPoolExecutor
'''
exec(START)

# Tests that run programs run them with it, too.
from test.support import script_helper
run = script_helper.assert_python_ok

def assert_python_ok(option, program):
    return run(option, START + "import textwrap; exec(textwrap.dedent("
               + repr(program) + "))")

script_helper.assert_python_ok = assert_python_ok

package = importlib.import_module("test.test_concurrent_futures")
modules = [package] + [
    importlib.import_module(f"{package.__name__}.{found.name}")
    for found in pkgutil.iter_modules(getattr(package, "__path__", []))
    if found.name != "__main__"]

suite = unittest.TestSuite()
for module in modules:
    for case in vars(module).values():
        if (isinstance(case, type) and issubclass(case, unittest.TestCase)
                and case.__module__ == module.__name__
                and getattr(case, "executor_type", None)
                is plait.ThreadPoolExecutor):
            suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(
                case))

made = 0
begin = plait.ThreadPoolExecutor.__init__

def count(self, *args, **kwargs):
    global made
    made += 1
    begin(self, *args, **kwargs)

plait.ThreadPoolExecutor.__init__ = count
result = unittest.TextTestRunner(verbosity=2).run(suite)
bad = result.failures + result.errors
print()
print(json.dumps({
    "ran": result.testsRun, "made": made,
    "bad": [f"{case}: {text}" for case, text in bad],
    "skipped": [f"{case}: {text}" for case, text in result.skipped]}))
"""

if sys.version_info < (3, 12) or importlib.util.find_spec(
        "test.test_concurrent_futures"):

    def test_cpythons_thread_pool_cases(tmp_path):
        """Every one of them; that there are some, and that they use ours."""
        (tmp_path / "run.py").write_text(RUN)
        folder = Path(plait.__file__).parent.parent
        done = subprocess.run([sys.executable, "run.py", str(folder)],
                              cwd=tmp_path, capture_output=True, text=True,
                              timeout=600, check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout.splitlines()[-1])
        assert told["bad"] == []
        assert told["skipped"] == []
        assert told["ran"] >= 40
        assert told["made"] >= told["ran"]
