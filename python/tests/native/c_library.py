# SPDX-License-Identifier: BSD-3-Clause
"""C libraries for tests, and tasks in Python beside their functions."""

import pathlib
import subprocess
from collections import namedtuple

from plait import delayed

ROOT = pathlib.Path(__file__).parents[3]
SCHEDULERS = ["threads", "sync"]
COMPILE = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
           "-fPIC", "-shared", "-I", str(ROOT / "include")]
# More than is ever copied.
BIG = 5000


def build(path, *more):
    subprocess.run([*COMPILE, "-o", str(path), *map(str, more)], check=True)
    return path


@delayed
def give(value):
    return value


@delayed
def add(*values):
    return sum(values)


@delayed
def boom(text="boom"):
    raise ValueError(text)


Point = namedtuple("Point", "x y")
