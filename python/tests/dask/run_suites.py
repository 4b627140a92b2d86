#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs Dask's own tests on Plait, from the installed dask package.

    run_suites.py                       what must pass with plait.delayed
    run_suites.py --suite=S             another suite, of suites.py
    run_suites.py --stand-in=dask       the same with Dask's own
    run_suites.py --module=M --list=F   the same names in another module
    run_suites.py … -k nout             what remains goes to pytest
"""

import argparse
import importlib.metadata
import os
import sys

import must_pass
import pytest
import suites


def parse(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--stand-in", default="plait")
    parser.add_argument("--suite", default="test_delayed",
                        choices=suites.SUITES)
    parser.add_argument("--module")
    parser.add_argument("--list")
    return parser.parse_known_args(words)


def main(words):
    options, rest = parse(words)
    try:
        path = options.list or must_pass.find(
            options.suite, importlib.metadata.version("dask"))
        must_pass.read(must_pass.pathlib.Path(path))
    except must_pass.BadList as error:
        return f"run_suites.py: {error}"
    # No configuration but this: neither Dask's nor that of a folder above. A
    # test that Dask expects to fail must pass.
    return pytest.main(["-c", os.devnull, "-p", "no:cacheprovider",
                        "-p", "stand_in", "-q",
                        f"--stand-in={options.stand_in}",
                        f"--suite={options.suite}", f"--must-pass={path}",
                        "--runxfail", "--pyargs",
                        options.module or suites.SUITES[options.suite].module,
                        *rest])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
