# SPDX-License-Identifier: BSD-3-Clause
"""Equal values have equal tokens; what differs has different ones."""

import dataclasses
import datetime
import decimal
import enum
import functools
import operator
import os
import pathlib
import random
import subprocess
import sys
import uuid

import pytest

from plait import config
from plait.tokenize import (
    TokenizationError,
    fresh,
    normalize_token,
    tokenize,
)


@pytest.fixture
def dask_base():
    return pytest.importorskip("dask.base")


@pytest.fixture(autouse=True)
def without_dask(request, monkeypatch):
    """Our own tokens, whatever another test has imported."""
    if "dask_base" not in request.fixturenames:
        monkeypatch.setitem(sys.modules, "dask.base", None)


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Opaque:
    def __init__(self, value):
        self.value = value


class Refusing:
    def __reduce_ex__(self, protocol):
        raise TypeError("not to be pickled")


def double(x):
    return 2 * x


def deep_list(depth):
    made = []
    for _ in range(depth):
        made = [made]
    return made


# Each has to be equal to itself made again, and to differ from all others.
MAKERS = [
    lambda: None,
    lambda: True,
    lambda: 1,
    lambda: 1.0,
    lambda: -0.0,
    lambda: 0.0,
    lambda: 1 + 0j,
    lambda: "1",
    lambda: b"1",
    lambda: bytearray(b"1"),
    lambda: "\udc80",
    lambda: Ellipsis,
    lambda: (1,),
    lambda: [1],
    lambda: {1},
    lambda: frozenset({1}),
    lambda: {1: 2},
    lambda: {"a": 1, "b": [2, {"c": 3}]},
    lambda: [[1], 2],
    lambda: [1, [2]],
    lambda: slice(1, 2),
    lambda: slice(1, 2, 3),
    lambda: range(1, 2),
    lambda: datetime.date(2024, 1, 2),
    lambda: datetime.datetime(2024, 1, 2),
    lambda: datetime.timedelta(1),
    lambda: decimal.Decimal("1.10"),
    lambda: pathlib.PurePosixPath("a/b"),
    lambda: uuid.UUID(int=1),
    lambda: Colour.RED,
    lambda: Colour.GREEN,
    lambda: Colour,
    lambda: Point(1, 2),
    lambda: Point(2, 1),
    lambda: Point,
    lambda: Opaque(1),
    lambda: Opaque(2),
    lambda: double,
    lambda: operator.add,
    lambda: len,
    lambda: [].append,
    lambda: [1].append,
    lambda: bytes.decode,
    lambda: operator.itemgetter(1),
    lambda: operator.methodcaller("m", 1),
    lambda: functools.partial(operator.add, 10),
    lambda: functools.partial(operator.add, 20),
    lambda: Point(1, 2).__eq__,
    lambda: os,
    lambda: lambda x: x + 1,
    lambda: lambda x: x + 2,
    lambda: (lambda k: lambda x: x + k)(1),
    lambda: (lambda k: lambda x: x + k)(2),
    lambda: lambda x, y=1: x,
    lambda: lambda x, y=2: x,
]


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_again_has_the_same_token(make):
    assert tokenize(make()) == tokenize(make())


def test_different_values_have_different_tokens():
    values = [make() for make in MAKERS]
    assert len({tokenize(value) for value in values}) == len(values)


def test_a_token_is_32_hexadecimal_digits():
    for token in (tokenize(1), fresh()):
        assert len(token) == 32
        assert set(token) <= set("0123456789abcdef")


def test_arguments_and_keywords_count():
    assert tokenize(1, 2) != tokenize(2, 1)
    assert tokenize(1, 2) != tokenize((1, 2))
    assert tokenize(a=1) != tokenize(b=1)
    assert tokenize(a=1, b=2) == tokenize(b=2, a=1)


def test_order_does_not_count_where_a_value_has_none():
    assert tokenize({"a": 1, "b": 2}) == tokenize({"b": 2, "a": 1})
    assert tokenize(set("abcdef")) == tokenize(set("fedcba"))


def test_parts_do_not_run_together():
    assert tokenize("ab", "c") != tokenize("a", "bc")
    assert tokenize(["a"], []) != tokenize([], ["a"])


def test_a_list_that_holds_itself():
    first, second = [1], [1]
    first.append(first)
    second.append(second)
    assert tokenize(first) == tokenize(second)
    assert tokenize(first) != tokenize([1, [1]])


def test_a_function_defined_again_is_another():
    scope = {"__name__": "__main__"}
    exec("def f(x): return x + 1", scope)
    first = scope["f"]
    exec("def f(x): return x + 2", scope)
    assert tokenize(first) != tokenize(scope["f"])


def test_a_class_defined_again_is_another():
    def define():
        class Local:
            pass

        return Local

    first, second = define(), define()
    assert tokenize(first) == tokenize(first) != tokenize(second)


def test_a_type_of_one_s_own_can_be_registered():
    class Table:
        def __init__(self, path):
            self.path = path
            self.handle = object()

    assert tokenize(Table("a")) != tokenize(Table("b"))
    normalize_token.register(Table, lambda table: ("Table", table.path))
    assert tokenize(Table("a")) == tokenize(Table("a"))
    assert tokenize(Table("a")) != tokenize(Table("b"))


def test_an_object_can_name_itself():
    class Named:
        def __init__(self, name):
            self.name = name
            self.other = object()

        def __dask_tokenize__(self):
            return self.name

    assert tokenize(Named("a")) == tokenize(Named("a"))
    assert tokenize(Named("a")) != tokenize(Named("b"))


def test_what_has_no_name_gets_a_fresh_token():
    value = Refusing()
    assert tokenize(value) != tokenize(value)


def test_what_has_no_name_is_an_error_when_asked_for():
    with config.set({"tokenize.ensure-deterministic": True}):
        with pytest.raises(
            TokenizationError, match="cannot be deterministically hashed"
        ):
            tokenize(Refusing())


def test_a_very_deep_value_gets_a_token():
    deep = deep_list(100_000)
    assert len(tokenize(deep)) == 32
    while deep:  # let go of it level by level
        deep = deep.pop()


def test_fresh_tokens_never_repeat_and_leave_the_seed_alone():
    random.seed(1)
    before = random.getstate()
    assert len({fresh() for _ in range(1000)}) == 1000
    assert random.getstate() == before


def test_numpy_arrays():
    np = pytest.importorskip("numpy")
    array = np.arange(6.0)
    assert tokenize(array) == tokenize(np.arange(6.0))
    assert tokenize(array) != tokenize(array.reshape(2, 3))
    assert tokenize(array) != tokenize(array.astype("f4"))
    assert tokenize(array[::2]) == tokenize(np.array([0.0, 2.0, 4.0]))
    assert tokenize(np.float64(1)) != tokenize(np.float32(1))
    words = np.array(["a", None], dtype=object)
    assert tokenize(words) == tokenize(words.copy())
    masked = np.ma.masked_array([1, 2], [False, True])
    assert tokenize(masked) != tokenize(np.ma.masked_array([1, 2]))


def test_tokens_are_the_same_in_another_process():
    code = (
        "from plait.tokenize import tokenize; import operator;"
        "print(tokenize({'a': {1, 'x'}, 'b': (2.5, None)}, operator.add))"
    )
    tokens = {
        subprocess.check_output(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    }
    assert len(tokens) == 1


def test_dask_s_own_tokens_when_it_is_loaded(dask_base):
    assert tokenize([1, 2], a=3) == dask_base.tokenize([1, 2], a=3)
