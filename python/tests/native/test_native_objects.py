# SPDX-License-Identifier: BSD-3-Clause
"""Objects of a library's own types; pickling."""

from __future__ import annotations

import copy
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


def test_objects_without_an_encoded_form_are_not_pickled(lib):
    with pytest.raises(TypeError, match='pickled: .*"test.box" .* no encode'):
        pickle.dumps(lib.box(1).compute())


def test_objects_are_pickled_by_their_library(lib):
    held = lib.crate(7).compute()
    again = pickle.loads(pickle.dumps(held))
    assert type(again) is plait.NativeValue and again is not held
    assert again.type_name == "test.crate"
    assert lib.open_crate(again).compute() == 7
    delayed_again = pickle.loads(pickle.dumps(lib.open_crate(held)))
    assert delayed_again.compute() == 7


def test_objects_are_restored_in_another_process(lib, path):
    pickled = pickle.dumps((lib.crate(8).compute(), lib.open_crate))
    program = ("import pickle, sys\n"
               f"crate, open_crate = pickle.loads({pickled})\n"
               "print(crate, open_crate(crate).compute())")
    done = subprocess.run([sys.executable, "-c", program], check=True,
                          stdout=subprocess.PIPE, text=True)
    assert done.stdout == "<NativeValue box of 8> 8\n"


def test_objects_that_cannot_be_restored(lib):
    restore, (library, form) = lib.crate(1).compute().__reduce__()
    for name, data, why in [
        (library, form[:-1], "can't be restored"),
        (None, form.replace(b"crate", b"chest"), "not registered"),
        (library, form.replace(b"crate", b"chest"), "not registered"),
        (library + ".no", form.replace(b"crate", b"chest"), "No such file"),
    ]:
        with pytest.raises(ValueError, match=why):
            restore(name, data)
    with pytest.raises(TypeError):
        restore(3, form)


def test_objects_are_copied_as_themselves(lib):
    held = lib.box(1).compute()
    assert copy.copy(held) is held
    assert copy.deepcopy([held])[0] is held


def test_views_are_pickled_as_bytes(lib):
    view = lib.fresh_bytes(3).compute()
    with pytest.raises(TypeError, match="memoryview"):
        pickle.dumps(view)
    assert pickle.loads(pickle.dumps(bytes(view))) == view
