# SPDX-License-Identifier: BSD-3-Clause
"""Objects of a library's own types; pickling."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys

import pytest

import plait
from c_library import add, give


def test_pickled(lib, path):
    call = pickle.loads(pickle.dumps(add(lib.sum(1, 2), 3)))
    assert call.compute() == 6
    assert repr(pickle.loads(pickle.dumps(lib))) == repr(lib)
    program = (f"import pickle; print(pickle.loads({pickle.dumps(lib.sum(4))})"
               ".compute())")
    done = subprocess.run([sys.executable, "-c", program], check=True,
                          stdout=subprocess.PIPE)
    assert done.stdout == b"4\n"


def test_objects_of_a_library(lib, scheduler):
    box = lib.box(5)
    assert lib.unbox(box).compute() == 5
    held = box.compute()
    assert isinstance(held, plait.NativeValue)
    assert held.type_name == "test.box"
    assert repr(held) == "<NativeValue box of 5>"
    assert lib.unbox(held).compute() == 5
    assert lib.unbox(give(held)).compute() == 5
    assert lib.unbox(give(box)).compute() == 5
    assert lib.same([held]).compute()[0].type_name == "test.box"


def test_objects_are_freed(lib, scheduler):
    gc.collect()
    before = lib.boxes().compute()
    held = plait.compute(*[lib.box(i) for i in range(100)])
    assert lib.sum(*[lib.unbox(one) for one in held]).compute() == 4950
    assert lib.boxes().compute() == before + 100
    del held
    gc.collect()
    assert lib.boxes().compute() == before


def test_objects_are_not_pickled(lib):
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(lib.box(1).compute())
