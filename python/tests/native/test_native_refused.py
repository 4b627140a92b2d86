# SPDX-License-Identifier: BSD-3-Clause
"""What can't be passed to C, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

import plait
from c_library import add, give
from plait import delayed


@dataclass
class Record:
    part: object


REFUSED = [
    ({1, 2}, TypeError, "set can't be passed to C"),
    (object(), TypeError, "object can't be passed to C"),
    (1j, TypeError, "complex can't"),
    (2**63, OverflowError, "64 bits"),
    (-2**63 - 1, OverflowError, "64 bits"),
    (10**10000, OverflowError, "64 bits"),
    (Record(1), TypeError, "Record can't"),
    ([1, {"a": {3}}], TypeError, "set can't"),
    ({frozenset(): 1}, TypeError, "frozenset can't"),
    (memoryview(bytes(100))[::2], TypeError, "contiguous"),
]


@pytest.mark.parametrize("value, kind, text", REFUSED,
                         ids=range(len(REFUSED)))
def test_what_c_has_not_is_refused(lib, scheduler, value, kind, text):
    for call in (lib.sum(1, value), lib.sum(1, give(value)),
                 lib.sum(1, [give(value)])):
        with pytest.raises(kind, match=text) as caught:
            call.compute()
        assert str(caught.value).startswith("sum(), argument 2: ")


def test_lists_in_lists_without_end(lib, scheduler):
    @delayed
    def make():
        endless: list = []
        endless.append(endless)
        return endless

    with pytest.raises(ValueError, match="argument 1.* nested"):
        lib.same(make()).compute()
    deep: list = []
    for _ in range(1500):
        deep = [deep]
    with pytest.raises(ValueError, match="argument 1.* nested"):
        lib.same(delayed(deep, traverse=False)).compute()


def test_containers_with_delayeds_that_c_has_not(lib):
    for value in ({give(1)}, Record(give(1)), slice(give(1))):
        with pytest.raises(TypeError, match=r"same\(\), argument 1: "):
            lib.same(value).compute()


def test_arrays_that_are_refused(lib):
    numpy = pytest.importorskip("numpy")
    matrix = numpy.zeros((10, 10))
    for value, text in [(matrix.T[1:], "contiguous"),
                        (numpy.array([{}]), "Python objects"),
                        (numpy.complex128(1), "no number that C has")]:
        with pytest.raises(TypeError, match=text):
            lib.same(value).compute()


def test_a_delayed_that_a_task_returned_is_refused(lib):
    @delayed
    def unrun():
        return give(1)

    with pytest.warns(UserWarning), pytest.raises(TypeError,
                                                  match="nobody has run"):
        lib.same(unrun()).compute()


def test_keyword_arguments_are_refused(lib):
    with pytest.raises(TypeError, match="sum.* no keyword arguments"):
        lib.sum(1, x=2).compute()


def test_who_made_what_cannot_be_converted_has_not_failed(lib, scheduler):
    made = give({1, 2})
    size = delayed(len)(made)
    bad = lib.same(made)
    after = add(bad, 1)
    values = plait.compute(made, size, bad, after, on_error="collect")
    assert values[:2] == ({1, 2}, 2)
    assert isinstance(values[2].exception, TypeError)
    assert values[2].key == bad.key and not values[2].skipped
    assert values[3].skipped and values[3].cause_key == bad.key
