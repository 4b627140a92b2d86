# SPDX-License-Identifier: BSD-3-Clause
"""Random graphs of random Python values give what plain evaluation gives.

A program is a list of steps; each uses the values of earlier ones, alone or
inside containers. It is evaluated twice: plainly, step by step, and with a
Delayed in the place of each value. Steps fail of their own accord, since they
add, index and call whatever comes.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
from typing import Any, NamedTuple

import hypothesis
import plait
import pytest
from hypothesis import strategies as st

SCHEDULERS = [
    {"scheduler": "sync"},
    {"scheduler": "threads"},
    {"scheduler": "threads", "num_workers": 1},
    {"scheduler": "threads", "num_workers": 5},
]


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Box:
    held: Any
    label: str = "box"


class Thing:
    """Compared by identity: it must arrive as it was."""

    def __call__(self, *args: Any) -> Any:
        return (self, args)


class Use(NamedTuple):
    """Where the value of an earlier step goes. Counted round and round, so
    that any number names one."""

    step: int


# -- functions of the steps


def pack(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def first(first: Any, *_rest: Any) -> Any:
    return first


def pair(left: Any, right: Any) -> Any:
    return left, right


def refuse(*args: Any) -> Any:
    raise ValueError(len(args))


# -- steps: what each does with values, plain or delayed


@dataclasses.dataclass
class Leaf:
    value: Any

    def run(self, fill, lazy):
        value = fill(self.value)
        return plait.delayed(value) if lazy else value


@dataclasses.dataclass
class Call:
    function: Any
    args: list[Any]
    kwargs: dict[str, Any]
    pure: bool | None

    def run(self, fill, lazy):
        function = self.function
        if lazy:
            function = plait.delayed(function, pure=self.pure)
        return function(*map(fill, self.args),
                        **{name: fill(arg)
                           for name, arg in self.kwargs.items()})


@dataclasses.dataclass
class Part:
    """One of two outputs."""

    values: list[Any]
    index: int

    def run(self, fill, lazy):
        function = plait.delayed(pair, nout=2) if lazy else pair
        left, right = function(*map(fill, self.values))
        return right if self.index else left


@dataclasses.dataclass
class Apply:
    function: Use
    args: list[Any]

    def run(self, fill, lazy):
        return fill(self.function)(*map(fill, self.args))


@dataclasses.dataclass
class Operate:
    function: Any
    operands: list[Any]

    def run(self, fill, lazy):
        return self.function(*map(fill, self.operands))


@dataclasses.dataclass
class Attribute:
    of: Use
    name: str

    def run(self, fill, lazy):
        return getattr(fill(self.of), self.name)


@dataclasses.dataclass
class Method:
    of: Use
    name: str
    args: list[Any]

    def run(self, fill, lazy):
        # The arguments first: a task has them before it looks for the method.
        args = [fill(arg) for arg in self.args]
        return getattr(fill(self.of), self.name)(*args)


# -- making programs

THINGS = st.builds(Thing)
LITERALS = (st.none() | st.booleans() | st.integers()
            | st.floats(-1e6, 1e6) | st.just(float("nan"))
            | st.complex_numbers(max_magnitude=1e6) | st.text(max_size=5)
            | st.binary(max_size=5) | THINGS)
HASHABLE = st.integers(0, 3) | st.text(max_size=2)
UNARY = [operator.neg, operator.pos, operator.invert, abs]
BINARY = [operator.add, operator.sub, operator.truediv, operator.floordiv,
          operator.and_, operator.or_, operator.xor]
# Turned round they'd say it differently when they fail.
ONE_WAY = [operator.getitem, operator.eq, operator.ne, operator.lt,
           operator.ge]
METHODS = ["count", "index", "get", "upper", "conjugate"]
ATTRIBUTES = ["real", "imag", "x", "held", "start"]


def containers(inner):
    return (st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(HASHABLE, inner, max_size=2)
            | st.builds(slice, inner, inner, inner)
            | st.builds(Point, inner, inner) | st.builds(Box, inner))


USES = st.integers(0, 20).map(Use)
# At most one use as a key or a member: two equal ones would be compared, and a
# Delayed has no truth.
KEYED = (st.builds(lambda key, value: {key: value}, USES, LITERALS)
         | st.builds(lambda member, rest: {member, *rest}, USES,
                     st.sets(HASHABLE, max_size=2)))
VALUES = st.recursive(USES | LITERALS | KEYED, containers, max_leaves=5)
ARGS = st.lists(VALUES, max_size=3)
KWARGS = st.dictionaries(st.sampled_from(["a", "b", "name"]), VALUES,
                         max_size=2)
PURITY = st.sampled_from([None, True, False])
STEPS = st.one_of(
    st.builds(Leaf, VALUES),
    st.builds(Call, st.just(pack), ARGS, KWARGS, PURITY),
    st.builds(Call, st.sampled_from([first, refuse, Thing(), len]), ARGS,
              st.just({}), PURITY),
    st.builds(Part, st.tuples(VALUES, VALUES).map(list), st.integers(0, 1)),
    st.builds(Operate, st.sampled_from(UNARY), st.tuples(USES).map(list)),
    st.builds(Operate, st.sampled_from(BINARY + ONE_WAY),
              st.tuples(USES, VALUES).map(list)),
    st.builds(Operate, st.sampled_from(BINARY),
              st.tuples(LITERALS, USES).map(list)),
    st.builds(Attribute, USES, st.sampled_from(ATTRIBUTES)),
    st.builds(Method, USES, st.sampled_from(METHODS), ARGS),
    st.builds(Apply, USES, ARGS),
)
PROGRAMS = st.builds(lambda leaf, steps: [leaf, *steps],
                     st.builds(Leaf, LITERALS), st.lists(STEPS, max_size=11))
WANTED = st.lists(st.integers(0, 20), min_size=1, max_size=4)


# -- evaluating them


def fill(value, values):
    """The containers with the values of steps in the places of their uses."""
    def again(inner):
        return fill(inner, values)

    kind = type(value)
    if kind is Use:
        return values[value.step % len(values)]
    if kind in (list, tuple, set):
        return kind(map(again, value))
    if kind is dict:
        return {again(key): again(inner) for key, inner in value.items()}
    if kind is slice:
        return slice(*map(again, (value.start, value.stop, value.step)))
    if kind is Point:
        return Point(*map(again, value))
    if kind is Box:
        return Box(again(value.held), value.label)
    return value


class Failed(Exception):
    """A step that had no value, and the exceptions that may be why."""

    def __init__(self, causes):
        super().__init__(causes)
        self.causes = causes


def used(value, values):
    """The values of the steps that a step, or a container, uses."""
    if type(value) is Use:
        return [values[value.step % len(values)]]
    if type(value) in (list, tuple, set, Point):
        inner = list(value)
    elif type(value) is dict:
        inner = [*value.keys(), *value.values()]
    elif type(value) is slice:
        inner = [value.start, value.stop, value.step]
    elif dataclasses.is_dataclass(value):
        inner = list(vars(value).values())
    else:
        inner = []
    return [found for part in inner for found in used(part, values)]


def described(error):
    # A method that a class inherits is named by either class.
    return type(error), re.sub(r"\w+\.(?=\w+\(\))", "", str(error))


def causes_of(values):
    return set().union(*(value.causes for value in values
                         if isinstance(value, Failed)))


def run_plainly(program):
    """The value of each step, or a Failed."""
    values: list[Any] = []
    for step in program:
        causes = causes_of(used(step, values))
        try:
            value = Failed(causes) if causes else step.run(
                functools.partial(fill, values=values), False)
        except Exception as error:
            value = Failed({described(error)})
        values.append(value)
    return values


def run_lazily(program):
    """A Delayed for each step."""
    values: list[Any] = []
    for step in program:
        values.append(step.run(functools.partial(fill, values=values), True))
    return values


def same(left, right, seen):
    """Equal in types and structure, with each pair of objects met once."""
    if left is right or (id(left), id(right)) in seen:
        return True
    if type(left) is not type(right):
        return False
    seen[id(left), id(right)] = left, right
    if isinstance(left, dict):
        left, right = list(left.items()), list(right.items())
    elif isinstance(left, slice):
        left = left.start, left.stop, left.step
        right = right.start, right.stop, right.step
    elif isinstance(left, Box):
        left, right = (left.held, left.label), (right.held, right.label)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(
            same(a, b, seen) for a, b in zip(left, right))
    if isinstance(left, set):
        return sorted(map(repr, left)) == sorted(map(repr, right))
    return repr(left) == repr(right)


def as_expected(value, expected):
    """Whether a value, or the Failure in its place, is what it should be."""
    if isinstance(expected, Failed):
        return (isinstance(value, plait.Failure)
                and described(value.exception) in expected.causes)
    return same(value, expected, {})


@pytest.mark.filterwarnings("ignore:Bitwise inversion")
@hypothesis.given(PROGRAMS, WANTED)
@hypothesis.settings(database=None, deadline=None, derandomize=True,
                     max_examples=200)
def test_random_graphs(program, wanted):
    values, tasks = run_plainly(program), run_lazily(program)
    expected = tuple(values[number % len(program)] for number in wanted)
    targets = [tasks[number % len(program)] for number in wanted]
    causes = causes_of(expected)
    for where in SCHEDULERS:
        if not causes:
            assert same(plait.compute(*targets, **where), expected, {}), where
            continue
        with pytest.raises(Exception) as raised:
            plait.compute(*targets, **where)
        assert described(raised.value) in causes, where
        collected = plait.compute(*targets, on_error="collect", **where)
        assert all(map(as_expected, collected, expected)), where
