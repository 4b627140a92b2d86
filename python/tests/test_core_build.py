# SPDX-License-Identifier: BSD-3-Clause
"""Building delayed calls: what they are before anybody runs them."""

import copy
import dataclasses
import gc
import operator
import pickle
import weakref
from collections import namedtuple

import pytest

from plait import _core
from plait.delayed import Delayed, delayed


@delayed
def increase(x):
    return x + 1


@delayed
def pair(a, b=0, *rest, **more):
    return a, b, rest, more


def value(task, **settings):
    settings.setdefault("scheduler", "sync")
    return _core.compute([task], **settings)[0]


# ---- operators, attributes, items ----


@pytest.mark.parametrize(
    "name",
    ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift"]
    + ["rshift", "and_", "or_", "xor", "lt", "le", "eq", "ne", "gt", "ge"],
)
def test_binary_operators_from_both_sides(name):
    apply = getattr(operator, name)
    assert value(apply(delayed(7), 2)) == apply(7, 2)
    assert value(apply(7, delayed(2))) == apply(7, 2)
    assert value(apply(delayed(7), delayed(2))) == apply(7, 2)


@pytest.mark.parametrize("name", ["neg", "pos", "abs", "invert"])
def test_unary_operators(name):
    assert value(getattr(operator, name)(delayed(-3))) == getattr(
        operator, name
    )(-3)


def test_matmul():
    class Matrix:
        def __matmul__(self, other):
            return "left", other

        def __rmatmul__(self, other):
            return "right", other

    assert value(delayed(Matrix()) @ 1) == ("left", 1)
    assert value(2 @ delayed(Matrix())) == ("right", 2)


def test_attributes_methods_and_items():
    assert value(delayed(3 + 4j).imag) == 4
    assert value(delayed("a,b").split(",")) == ["a", "b"]
    assert value(delayed("a,b").split(sep=",", maxsplit=1)[1]) == "b"
    assert value(delayed([1, 2, 3])[delayed(1) : increase(2)]) == [2, 3]


def test_a_method_call_is_one_task():
    graph = _core.graph([delayed("a,b").split(",")])
    assert sorted(type(node[0]).__name__ for node in graph.values()) == [
        "Method",
        "NoneType",
    ]


def test_calling_a_value():
    adder = delayed(operator.itemgetter)(1)
    assert value(adder(["a", "b"])) == "b"


def test_what_is_refused():
    task = increase(1)
    with pytest.raises(TypeError, match="immutable"):
        task.x = 1
    with pytest.raises(TypeError, match="immutable"):
        task[0] = 1
    with pytest.raises(TypeError, match="Truth"):
        bool(task)
    with pytest.raises(TypeError, match="not iterable"):
        iter(task)
    with pytest.raises(TypeError, match="no len"):
        len(task)
    with pytest.raises(AttributeError):
        task._private
    with pytest.raises(AttributeError):
        task.dtype.dtype


def test_nout():
    halves = delayed(divmod, nout=2)(7, 2)
    assert len(halves) == 2
    quotient, rest = halves
    assert _core.compute([quotient, rest]) == [3, 1]
    for wrong in (True, -1, "1", 1.0):
        with pytest.raises(ValueError, match="non-negative integer"):
            delayed(divmod, nout=wrong)


def test_coroutine_functions_are_refused():
    async def load():
        pass

    async def load_all():
        yield 1

    for function in (load, load_all):
        with pytest.raises(TypeError, match="coroutine function"):
            delayed(function)


def test_wrong_options():
    for options in ({"retries": -1}, {"timeout": 0}, {"on_failure": "x"}):
        with pytest.raises(ValueError, match=next(iter(options))):
            delayed(increase, **options)


def test_a_function_shows_through():
    def load(path):
        """Load it."""

    lazy = delayed(load)
    assert lazy.__name__ == "load"
    assert lazy.__doc__ == "Load it."
    assert lazy.__wrapped__ is load
    assert delayed(lazy) is lazy


def test_methods_of_a_class():
    class Loader:
        step = 2

        @delayed
        def load(self, x):
            return x + self.step

    assert value(Loader().load(3)) == 5
    assert isinstance(Loader.load, Delayed)


def test_a_decorator_with_arguments():
    @delayed(pure=True, nout=2)
    def both(x):
        return x, x

    assert both(1).key == both(1).key
    assert len(both(1)) == 2


# ---- keys ----


def test_keys():
    assert increase(1).key != increase(1).key
    assert increase(1).key.startswith("increase-")
    assert increase(1, pure=True).key == increase(1, pure=True).key
    assert increase(1, dask_key_name="mine").key == "mine"
    assert increase(1, dask_key_name=("mine", 0)).key == ("mine", 0)
    assert delayed(1, name="one").key == "one"
    assert repr(delayed(1, name="one")) == "Delayed('one')"
    task = increase(1)
    assert task.key == task.key
    assert (task + 1).key == (task + 1).key


def test_equal_pure_calls_run_once():
    seen = []

    def note(x):
        seen.append(x)
        return x

    lazy = delayed(note, pure=True)
    assert value(delayed([lazy(1), [lazy(1), lazy(2)], lazy(2)])) == [
        1,
        [1, 2],
        2,
    ]
    assert sorted(seen) == [1, 2]


def test_the_key_of_a_long_chain_of_operators():
    task = delayed(0)
    for _ in range(5000):
        task = task + 1
    assert task.key == task.key


# ---- containers ----


def test_containers_keep_their_types():
    Point = namedtuple("Point", "x y")

    @dataclasses.dataclass
    class Box:
        inside: object

    one = increase(0)
    given = [
        (one, [one]),
        {"k": one, "n": {one}},
        Point(one, 2),
        Box([one]),
        slice(one, None),
    ]
    first, second, third, fourth, fifth = value(delayed(given))
    assert first == (1, [1])
    assert second == {"k": 1, "n": {1}}
    assert third == Point(1, 2) and type(third) is Point
    assert fourth == Box([1])
    assert fifth == slice(1, None)


def test_iterators_stand_for_what_they_give():
    one = increase(0)
    assert value(delayed(list)(iter([one, 2]))) == [1, 2]
    assert value(delayed(list)([iter([one]), iter([3])])) == [[1], [3]]


def test_a_container_is_seen_as_it_was():
    inputs = [increase(0)]
    task = delayed(len)(inputs)
    inputs.append(increase(1))
    assert value(task) == 1


def test_a_container_without_delayeds_is_kept():
    inputs = [1, 2]
    assert value(delayed(id)(inputs)) == id(inputs)
    assert value(delayed(inputs)) is inputs


def test_subclasses_of_containers_are_values():
    class Special(list):
        pass

    special = Special([increase(0)])
    assert value(delayed(len)(special)) == 1
    assert value(delayed(id)(special)) == id(special)


def test_traverse_false():
    one = increase(0)
    assert value(delayed([one], traverse=False))[0] is one


def test_dataclasses_that_cannot_be_made_anew():
    @dataclasses.dataclass
    class Custom:
        inside: object

        def __init__(self, something):
            self.inside = something

    @dataclasses.dataclass
    class NoInit:
        inside: object = dataclasses.field(init=False)

    with pytest.raises(TypeError, match="custom __init__"):
        delayed(Custom(increase(0)))
    partly = NoInit()
    partly.inside = increase(0)
    with pytest.raises(ValueError, match="init=False"):
        delayed(partly)


def test_a_list_in_itself():
    loop = []
    loop.append(loop)
    loop.append(increase(0))
    with pytest.raises(RecursionError):
        delayed(len)(loop)


def test_collect():
    one, two = increase(0), increase(1)
    found, rebuild = _core.collect([one, {"k": (two, one)}, 3])
    assert found[0] is one and found[1] is two and len(found) == 2
    assert rebuild(["a", "b"]) == ["a", {"k": ("b", "a")}, 3]
    assert _core.collect([one], traverse=False)[0] == []


# ---- memory ----


def test_plain_calls_are_not_tracked():
    task = pair(1, "b", None, k=2.0)
    assert not gc.is_tracked(task)
    assert not gc.is_tracked(increase(task))
    assert not gc.is_tracked(task + 1)
    assert gc.is_tracked(increase([]))
    assert gc.is_tracked(increase(increase([])))


def test_cycles_are_collected():
    def closure():
        def function():
            return task

        task = delayed(function)()
        return weakref.ref(task)

    def argument():
        box = []
        task = increase(box)
        box.append(task)
        return weakref.ref(task)

    for make in (closure, argument):
        ref = make()
        gc.collect()
        assert ref() is None


def test_a_long_chain_is_freed():
    task = increase(0)
    for _ in range(300_000):
        task = increase(task)
    del task
    task = delayed(0)
    for _ in range(100_000):
        task = increase([{"k": (task,)}])
    del task


def test_weak_references():
    task = increase(1)
    ref = weakref.ref(task)
    assert ref() is task
    del task
    assert ref() is None


# ---- copies ----


def test_pickles():
    Point = namedtuple("Point", "x y")
    globals()["Point"] = Point
    Point.__module__, Point.__qualname__ = __name__, "Point"
    one = increase(0)
    tasks = [
        pair(one, b=[one, {"k": (one, {2})}], c=slice(one)),
        delayed("a,b").split(","),
        delayed(3 + 4j).imag,
        -one,
        one + one,
        delayed([one, Point(one, 2)]),
        delayed(operator.itemgetter)(0)([one]),
        delayed(5),
    ]
    for task in tasks:
        again = pickle.loads(pickle.dumps(task))
        assert again.key == task.key
        assert value(again) == value(task)


def test_a_decorated_function_is_pickled_by_name():
    assert pickle.loads(pickle.dumps(increase)) is increase
    assert b"increase" in pickle.dumps(increase)


def test_a_long_chain_is_pickled():
    task = increase(0)
    for _ in range(20_000):
        task = increase(task)
    assert value(pickle.loads(pickle.dumps(task))) == 20_001


def test_bad_pickles_are_refused():
    restore = _core._restore
    leaf = (0, 0, None, (len,), None, None)
    for tasks in (
        [(99, 0, None, (), None, None)],
        [(1, 0, None, (), None, None)],
        [leaf, (1, 0, _core.Ref(5), (), None, None)],
        [leaf, (1, 0, _core.Ref(0), (1,), ("a", "b"), None)],
        [(3, 0, 5, (1,), None, None)],
        [(6, 2, None, (_core.Ref((4, None, (1,))),), None, None)],
        [()],
    ):
        with pytest.raises((ValueError, TypeError, IndexError)):
            restore(Delayed, tasks)


def test_copies():
    task = increase(1)
    for again in (copy.copy(task), copy.deepcopy(task)):
        assert again.key == task.key
        assert value(again) == 2


# ---- what is told ----


def test_graph_dependencies_label_options():
    one = increase(0)
    two = pair(one, b=[one, 5])
    graph = _core.graph([two])
    assert list(graph)[-1] == two.key
    function, args, kwargs = graph[two.key]
    assert function is pair.__wrapped__
    assert args == (_core.Ref(one.key),)
    assert kwargs == {"b": [_core.Ref(one.key), 5]}
    assert [task.key for task in _core.dependencies(two)] == [one.key]
    assert _core.label(two) == "pair"
    assert _core.label(one + 1) == "add"
    assert _core.label(delayed(lambda: 1)()) == "lambda"
    slow = delayed(len, retries=2, timeout=1.5, on_failure="pass")("a")
    assert _core.options(slow) == {
        "retries": 2,
        "timeout": 1.5,
        "on_failure": "pass",
    }
