# SPDX-License-Identifier: BSD-3-Clause
"""Delayeds in containers: what is looked into, and what comes out, is what it
is with Dask. Each container is made with both, goes where it can go, and the
types and values that come out are compared."""

from __future__ import annotations

import itertools
import types
import warnings
from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    defaultdict,
    deque,
    namedtuple,
)
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, NamedTuple

import dask
import pytest

import plait

Pair = namedtuple("Pair", "a b")


class Typed(NamedTuple):
    a: Any
    b: Any = None


class SubPair(Pair):
    pass


@dataclass
class Data:
    a: Any
    b: Any = 2


@dataclass(frozen=True)
class Frozen:
    a: Any


@dataclass(slots=True)
class Slots:
    a: Any


@dataclass
class After:
    a: Any

    def __post_init__(self):
        self.after = type(self.a).__name__


class SubData(Data):
    pass


@dataclass
class Unset:
    a: Any
    b: Any = field(init=False)


@dataclass
class Preset:
    a: Any
    b: Any = field(init=False, default=3)


@dataclass
class OwnInit:
    a: Any

    def __init__(self, x):
        self.a = x


class List(list):
    pass


class Tuple(tuple):
    pass


class Set(set):
    pass


class Dict(dict):
    pass


class Plain:
    def __init__(self, a):
        self.a = a


class Attrs(Plain):
    __attrs_attrs__ = ()


class Model(Plain):
    model_fields = {"a": None}


CONTAINERS = {
    "list": lambda d: [d, 1],
    "tuple": lambda d: (d, 1),
    "set": lambda d: {d, 5},
    "dict": lambda d: {"a": d},
    "key": lambda d: {d: 1},
    "tuple as key": lambda d: {(d, 1): 2},
    "same twice": lambda d: [d, d],
    "deep": lambda d: [[({"a": [d]}, 2)]],
    "empty ones": lambda d: [[], (), {}, set(), d],
    "no Delayed": lambda d: [[1, (2,)], {"a": {3}}],
    "frozenset": lambda d: frozenset([d, 5]),
    "ordered": lambda d: OrderedDict([("b", d), ("a", 1)]),
    "ordered, no Delayed": lambda d: OrderedDict(b=1, a=2),
    "defaultdict": lambda d: defaultdict(list, {"a": d}),
    "Counter": lambda d: Counter({"a": 1, "b": 2}),
    "deque": lambda d: deque([d, 1]),
    "namedtuple": lambda d: Pair(d, 1),
    "NamedTuple": lambda d: Typed([d]),
    "subclass of namedtuple": lambda d: SubPair(d, 1),
    "dataclass": lambda d: Data(d),
    "nested in dataclass": lambda d: Data([d], {"x": Data(d)}),
    "dataclass, no Delayed": lambda d: Data(1),
    "frozen dataclass": lambda d: Frozen(d),
    "dataclass with slots": lambda d: Slots(d),
    "dataclass with __post_init__": lambda d: After(d),
    "subclass of dataclass": lambda d: SubData(d),
    "the class itself": lambda d: [Data, d],
    "subclass of list": lambda d: List([d]),
    "subclass of tuple": lambda d: Tuple([d]),
    "subclass of set": lambda d: Set([d]),
    "subclass of dict": lambda d: Dict(a=d),
    "object": lambda d: Plain(d),
    "attrs": lambda d: Attrs(d),
    "pydantic": lambda d: Model(d),
    "SimpleNamespace": lambda d: types.SimpleNamespace(a=d),
    "mappingproxy": lambda d: types.MappingProxyType({"a": d}),
    "ChainMap": lambda d: ChainMap({"a": d}),
    "dict.values": lambda d: {1: d}.values(),
}

ITERATORS = {
    "of a list": lambda d: iter([d]),
    "of a tuple": lambda d: iter((d,)),
    "of a set": lambda d: iter({d}),
    "of a dict": lambda d: iter({d: 1}),
    "generator": lambda d: (one for one in [d, 2]),
    "map": lambda d: map(lambda one: one, [d]),
    "zip": lambda d: zip([d], [1]),
    "enumerate": lambda d: enumerate([d]),
    "reversed": lambda d: reversed([d]),
    "chain": lambda d: itertools.chain([d], [2]),
    "empty": lambda d: (one for one in ()),
}

# Dask leaves a Delayed in a slice among targets, and so in results. It makes
# dataclasses there of their fields' values in order, and so can't make some
# that Plait makes, and makes one of a class with an __init__ of its own.
ARGUMENTS = {
    "slice": lambda d: slice(d, None, 2),
    "slice in tuple": lambda d: (slice(0, d), 0),
    "field that __init__ doesn't set": lambda d: Unset(d),
    "field that __init__ doesn't take": lambda d: Preset(d),
    "__init__ of its own": lambda d: OwnInit(d),
}


def described(thing):
    """Types and values, for comparison, with what is inside."""
    name = type(thing).__name__
    if hasattr(thing, "__dask_graph__"):
        return "Delayed"
    if isinstance(thing, (dict, types.MappingProxyType, ChainMap)):
        items = [(described(k), described(v)) for k, v in thing.items()]
        return name, items
    if isinstance(thing, (set, frozenset)):
        return name, sorted(repr(described(one)) for one in thing)
    if isinstance(thing, (list, tuple, deque)):
        return name, [described(one) for one in thing]
    if isinstance(thing, slice):
        return name, described([thing.start, thing.stop, thing.step])
    if is_dataclass(thing) and not isinstance(thing, type):
        names = [one.name for one in fields(thing)] + ["after"]
        return name, described([getattr(thing, one, "?") for one in names])
    if isinstance(thing, (Plain, types.SimpleNamespace)):
        return name, described(thing.a)
    return name if hasattr(thing, "__iter__") else (name, repr(thing))


def outcome(call):
    """What comes out, described, or what is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return described(call())
        except Exception as error:
            return type(error), str(error)


ARGUMENT_PLACES = {
    "argument": lambda lib, d, it: lib.delayed(described)(it),
    "in an argument": lambda lib, d, it: lib.delayed(described)([it, d]),
    "keyword": lambda lib, d, it: lib.delayed(described)(thing=it),
    "delayed": lambda lib, d, it: lib.delayed(it),
}

PLACES = {
    "compute": lambda lib, d, it: lib.compute(it, d, scheduler="sync"),
    "in compute": lambda lib, d, it: lib.compute([it, {"a": d}]),
    "traverse=False": lambda lib, d, it: lib.compute(it, d, traverse=False),
    "persist": lambda lib, d, it: lib.persist([it, d]),
    "optimize": lambda lib, d, it: lib.optimize((it, d)),
}


def outcomes(make, place, computes):
    found = []
    for library in (dask, plait):
        def call(library=library):
            one = library.delayed(int)(7)
            made = place(library, one, make(one))
            return made.compute(scheduler="sync") if computes else made

        found.append(outcome(call))
    return found


@pytest.mark.parametrize("place", ARGUMENT_PLACES)
@pytest.mark.parametrize("name", CONTAINERS | ITERATORS | ARGUMENTS)
def test_arguments_of_calls(name, place):
    make = (CONTAINERS | ITERATORS | ARGUMENTS)[name]
    theirs, ours = outcomes(make, ARGUMENT_PLACES[place], True)
    assert ours == theirs


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CONTAINERS | ITERATORS)
def test_targets(name, place):
    make = (CONTAINERS | ITERATORS)[name]
    theirs, ours = outcomes(make, PLACES[place], False)
    assert ours == theirs


def test_the_order_of_an_ordered_dict_stays():
    made = OrderedDict(a=plait.delayed(1), b=plait.delayed(abs)(-2))
    made.move_to_end("a")
    (values,) = plait.compute(made)
    assert list(values.items()) == [("b", 2), ("a", 1)]


@pytest.mark.parametrize("make", [
    lambda ds: (d for d in ds), lambda ds: map(abs, ds), zip, enumerate,
    lambda ds: filter(None, ds), lambda ds: ((d, 1) for d in tuple(ds))])
def test_an_iterator_over_delayeds_as_an_argument_warns(make):
    ones = [plait.delayed(abs)(-1), plait.delayed(abs)(-2)]
    with pytest.warns(UserWarning, match="Make it a list") as told:
        call = plait.delayed(type)(make(ones))
    assert told[0].filename == __file__
    assert call.compute(scheduler="sync") is type(make(ones))


@pytest.mark.parametrize("make", [
    lambda: (n for n in range(3)), lambda: map(abs, [0, -1, -2]),
    lambda: (n for n in []), lambda: iter([0, 1, 2])])
def test_an_iterator_over_values_is_an_argument_like_any(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        call = plait.delayed(sum)(make())
        assert call.compute(scheduler="sync") == sum(make())
