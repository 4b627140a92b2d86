# SPDX-License-Identifier: BSD-3-Clause
"""Values go to C and come back; bytes are not copied."""

from __future__ import annotations

import array
import gc
import os
import weakref
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plait
from c_library import BIG, SCHEDULERS, Point, give
from plait import delayed

SAME = [None, True, False, 0, -1, 2**63 - 1, -2**63, 0.0, -1.5, float("inf"),
        "", "héß\0x", "a" * 5000, [], [1, [2, [None]]], {}, {"a": {"b": [1]}},
        {1: "one", None: 2, 2.5: 3}]


@pytest.mark.parametrize("value", SAME, ids=range(len(SAME)))
def test_values_come_back_as_they_went(lib, scheduler, value):
    for one in (lib.same(value).compute(), lib.same(give(value)).compute(),
                give(lib.same(value)).compute()):
        assert one == value
        assert type(one) is type(value)


PARTS = (st.none() | st.booleans() | st.integers(-2**63, 2**63 - 1)
         | st.floats(allow_nan=False) | st.text())
VALUES = st.recursive(PARTS, lambda inner: st.lists(inner) | st.dictionaries(
    st.text() | st.integers(-2**63, 2**63 - 1), inner))


@settings(database=None, deadline=None)
@given(VALUES)
def test_any_value_comes_back_as_it_went(lib, value):
    assert lib.same(value).compute(scheduler="sync") == value
    made = give(delayed(value, traverse=False))
    assert give(lib.same(made)).compute(scheduler="sync") == value


CHANGED = [((1, (2,)), [1, [2]]), (Point(1, 2), [1, 2]),
           (OrderedDict(a=1), {"a": 1}), ({(1, (2,)): 3}, {(1, (2,)): 3}),
           ({b"k": 1}, {b"k": 1})]


@pytest.mark.parametrize("value, expected", CHANGED,
                         ids=range(len(CHANGED)))
def test_containers_become_lists_and_dicts(lib, scheduler, value, expected):
    assert lib.same(value).compute() == expected
    assert lib.same(give(value)).compute() == expected


def test_subclasses_count_as_what_they_are(lib):
    class Number(int):
        pass

    class Text(str):
        pass

    assert lib.all(Number(3), Text("x"), True).compute() == [3, "x", True]


def test_keys_of_a_dict_from_c(lib):
    expected = {"s": 0, 7: 1, None: 2, b"b": 3, (1, "x"): 4}
    assert lib.key_kinds().compute() == expected


def test_a_path_that_is_no_utf8_survives(lib):
    name = os.fsdecode(b"/tmp/\xff\xfe")
    assert lib.same(name).compute() == name
    assert os.fsencode(lib.invalid_utf8().compute()) == b"a\xff\0b"


def test_no_arguments_and_many(lib):
    assert lib.all().compute() == []
    assert lib.sum(*range(100)).compute() == 4950
    assert lib.sum(*[give(i) for i in range(100)]).compute() == 4950


# ---- bytes ----

def where(buffer):
    numpy = pytest.importorskip("numpy")
    return numpy.frombuffer(buffer, "u1").ctypes.data


@pytest.mark.parametrize("make", [
    bytes, bytearray, memoryview, lambda data: array.array("B", data),
    lambda data: memoryview(data)[1000:3000],
], ids=["bytes", "bytearray", "memoryview", "array", "slice"])
def test_buffers_are_not_copied(lib, scheduler, make):
    buffer = make(bytes(BIG))
    expected = [where(buffer), len(buffer)]
    assert lib.address(buffer).compute() == expected
    assert lib.address(give(buffer)).compute() == expected
    assert lib.address(delayed(buffer, traverse=False)).compute() == expected


def test_arrays_are_not_copied(lib, scheduler):
    numpy = pytest.importorskip("numpy")
    matrix = numpy.zeros((100, 200))
    expected = [matrix.ctypes.data, matrix.nbytes]
    assert lib.address(matrix).compute() == expected
    assert lib.address(give(matrix)).compute() == expected
    assert lib.sum(lib.all(1, 2), numpy.zeros(0)).compute() == 3


def test_scalars_of_numpy_are_numbers(lib):
    numpy = pytest.importorskip("numpy")
    values = [numpy.int64(-3), numpy.uint8(200), numpy.float32(0.5),
              numpy.float64(2.5), numpy.bool_(True), numpy.array(7)]
    result = lib.all(*values).compute()
    assert result == [-3, 200, 0.5, 2.5, True, 7]
    assert [type(one) for one in result] == [int, int, float, float, bool, int]
    with pytest.raises(OverflowError, match="argument 1"):
        lib.same(numpy.uint64(2**64 - 1)).compute()


@pytest.mark.parametrize("size", [0, 1, 1024, BIG])
def test_bytes_come_back_as_a_view(lib, scheduler, size):
    view = lib.fresh_bytes(size).compute()
    assert type(view) is memoryview
    assert view.readonly
    assert view == bytes(i % 256 for i in range(size))


def test_results_of_bytes_are_not_copied(lib):
    view = lib.fresh_bytes(BIG).compute()
    assert lib.address(view).compute() == [where(view), BIG]
    data = bytes(BIG)
    assert where(lib.same(data).compute()) == where(data)


def test_a_buffer_is_kept_while_it_is_used(lib):
    class Buffer(bytearray):
        pass

    buffer = Buffer(b"x" * BIG)
    alive = weakref.ref(buffer)
    view = lib.same(buffer).compute()
    del buffer
    gc.collect()
    assert view == b"x" * BIG
    assert alive() is not None
    view.release()
    assert alive() is None


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_buffers_are_let_go_of_after_a_run(lib, scheduler):
    class Buffer(bytearray):
        pass

    alive = []

    @delayed
    def make():
        buffer = Buffer(BIG)
        alive.append(weakref.ref(buffer))
        return buffer

    sizes = [lib.address(lib.same(make()))[1] for _ in range(50)]
    assert plait.compute(*sizes, scheduler=scheduler) == (BIG,) * 50
    gc.collect()
    assert [ref() for ref in alive] == [None] * 50
