# SPDX-License-Identifier: BSD-3-Clause
"""C functions as tasks, beside tasks in Python: values both ways, failures,
libraries that can't be loaded."""

from __future__ import annotations

import array
import gc
import os
import pathlib
import pickle
import re
import shutil
import signal
import subprocess
import sys
import weakref
from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plait
from plait import delayed

ROOT = pathlib.Path(__file__).parents[2]
SCHEDULERS = ["threads", "sync"]
COMPILE = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
           "-fPIC", "-shared", "-I", str(ROOT / "include")]
# More than is ever copied.
BIG = 5000


def build(path, *more):
    subprocess.run([*COMPILE, "-o", str(path), *map(str, more)], check=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("native")


@pytest.fixture(scope="module")
def path(folder):
    source = ROOT / "python" / "tests" / "native" / "tasks.c"
    return build(folder / "tasks.so", source)


@pytest.fixture(scope="module")
def lib(path):
    return plait.native(path)


@pytest.fixture(params=SCHEDULERS)
def scheduler(request):
    with plait.config.set(scheduler=request.param):
        yield request.param


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


@dataclass
class Record:
    part: object


# ---- values ----

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


# ---- what can't be converted ----

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


# ---- graphs ----

def test_c_and_python_in_one_graph(lib, scheduler):
    total = give(1)
    for i in range(50):
        total = lib.sum(total, i) if i % 2 else add(total, i)
    assert total.compute() == 1 + sum(range(50))


def test_arguments_in_containers(lib, scheduler):
    parts = [give(1), lib.sum(2), 3, (lib.sum(4), [give(5)])]
    assert lib.sum(parts).compute() == 15
    assert lib.same({"a": give(1), give("b"): [lib.sum(2)]}).compute() == {
        "a": 1, "b": [2]}
    assert lib.same(Point(give(1), lib.sum(2))).compute() == [1, 2]
    assert add(*[lib.sum(i) for i in range(20)]).compute() == 190
    assert delayed(sum)([lib.sum(1), give(2)]).compute() == 3


def test_results_of_c_are_what_python_tasks_take(lib, scheduler):
    pair = lib.all("key", [1, 2, 3])
    assert pair[1][2].compute() == 3
    assert pair[0].upper().compute() == "KEY"
    assert (lib.sum(1) + lib.sum(2) * give(3)).compute() == 7
    assert (-lib.sum(1)).compute() == -1


def test_python_tasks_share_what_is_made_once(lib, scheduler):
    result = lib.same([1, 2])
    object_of_python = give([1])
    one, two = plait.compute(give(result), give(result))
    assert one is two
    one, two, three = plait.compute(give(object_of_python),
                                    give(object_of_python),
                                    lib.same(object_of_python))
    assert one is two and one == three and one is not three


def test_one_result_for_c_and_python(lib, scheduler):
    class Number(int):
        pass

    made = give(Number(20))
    kind = delayed(type)(made)
    assert plait.compute(lib.sum(made, 1), kind, made, lib.kind(made)) == (
        21, Number, 20, 2)


def total(value):
    """What the C function sum makes of it."""
    if isinstance(value, list):
        return sum(map(total, value))
    return value


# What is called, how many tasks back its inputs are, and whether the last is in
# a list. Few steps: a list of lists of lists is soon a long one.
STEPS = st.lists(st.tuples(
    st.sampled_from(["sum", "all", "same", "add", "list", "first", "fail"]),
    st.lists(st.integers(1, 8), min_size=1, max_size=4),
    st.booleans()), min_size=1, max_size=7)


def step(lib, name, inputs, nested):
    """A task, and what it is to make; None: it has failed."""
    tasks = [task for task, _ in inputs]
    values = [value for _, value in inputs]
    if nested:
        tasks[-1] = [tasks[-1], tasks[-1]]
        values[-1] = [values[-1], values[-1]]
    bad = any(value is None for _, value in inputs)
    calls = {
        "sum": (lib.sum, lambda *args: total(list(args))),
        "all": (lib.all, lambda *args: list(args)),
        "same": (lambda *args: lib.same(list(args)), lambda *args: list(args)),
        "add": (delayed(lambda *args: total(list(args))),
                lambda *args: total(list(args))),
        "list": (delayed(lambda *args: list(args)), lambda *args: list(args)),
        "first": (delayed(lambda *args: args[0]), lambda *args: args[0]),
        "fail": (lib.unbox, lambda *args: None),
    }
    task, plain = calls[name]
    return task(*tasks), None if bad else plain(*values)


@settings(database=None, deadline=None)
@given(STEPS)
def test_random_graphs(lib, steps):
    made = [(give(1), 1)]
    for name, back, nested in steps:
        inputs = [made[-min(one, len(made))] for one in back]
        made.append(step(lib, name, inputs, nested))
    targets = [task for task, _ in made]
    for scheduler in SCHEDULERS:
        values = plait.compute(*targets, scheduler=scheduler,
                               on_error="collect", num_workers=3)
        assert [None if isinstance(value, plait.Failure) else value
                for value in values] == [value for _, value in made]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_many_mixed_tasks(lib, scheduler):
    n = 25_000
    ends = [add(lib.sum(give(i), 1), lib.sum(i)) for i in range(n)]
    total = delayed(sum)(ends)
    assert total.compute(scheduler=scheduler) == sum(
        2 * i + 1 for i in range(n))


def test_a_long_chain(lib, scheduler):
    link = lib.sum(0)
    for i in range(20_000):
        link = add(link, 1) if i % 3 == 0 else lib.sum(link, 1)
    assert link.compute() == 20_000


def test_pure_calls_are_one_task(lib, scheduler):
    with_counter = [lib.box(1, pure=True) for _ in range(3)]
    assert len({one.key for one in with_counter}) == 1
    one, two, three = plait.compute(*with_counter)
    assert one is two is three
    assert lib.sum(1, pure=True).key != lib.all(1, pure=True).key


def test_keys_and_names(lib):
    call = lib.sum(1, dask_key_name="mine")
    assert call.key == "mine"
    assert call.compute() == 1
    assert lib.sum(1).key.startswith("sum-")
    assert lib.sum.__name__ == "sum"


def test_c_runs_beside_python(lib):
    flag = bytearray(BIG)

    @delayed
    def set_flag(_):
        flag[0] = 1
        return "set"

    # The C function returns only if a task in Python runs meanwhile.
    results = plait.compute(lib.wait_for_others(flag), set_flag(give(0)),
                            num_workers=2)
    assert results == (True, "set")


def test_naps_and_python_tasks(lib):
    done = []

    @delayed
    def note(i):
        done.append(i)

    @delayed
    def look(_):
        return len(done)

    # The look comes after a C task that sleeps; all notes are made meanwhile.
    seen = look(lib.nap(50, 1))
    results = plait.compute(seen, *[note(i) for i in range(100)],
                            num_workers=2)
    assert results[0] == 100


ENDLESS = """
import plait, sys
lib = plait.native(sys.argv[1])
ready = plait.delayed(print)("ready", flush=True)
link = lib.cancelled_nap(ready)
if sys.argv[2] == "sync":
    link = ready
    for _ in range(10_000):
        link = lib.nap(5, link)
try:
    link.compute(scheduler=sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_an_interrupt(path, scheduler):
    with subprocess.Popen([sys.executable, "-c", ENDLESS, path, scheduler],
                          stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout.readline() == "ready\n"
        program.send_signal(signal.SIGINT)
        assert program.stdout.readline() == "interrupted\n"
        assert program.wait(10) == 0


def test_persisted_and_drawn(lib):
    box, view = plait.persist(lib.box(3), lib.fresh_bytes(BIG))
    assert lib.unbox(box).compute() == 3
    assert lib.address(view)[1].compute() == BIG
    assert "fresh_bytes" in lib.same(lib.fresh_bytes(1)).visualize(
        format="text")
    assert plait.optimize(lib.sum(1))[0].compute() == 1


def test_at_once(lib):
    sum_now = lib.sum.__wrapped__
    assert sum_now(1, [2, 3]) == 6
    with pytest.raises(plait.TaskError, match="no box"):
        lib.unbox.__wrapped__(1)
    assert delayed(lambda: sum_now(1, 2))().compute() == 3


def test_other_schedulers_can_call_them(lib):
    dask = pytest.importorskip("dask")
    call = add(lib.sum(1, give(2)), 3)
    assert dask.compute(call, scheduler="sync") == (6,)


def test_pickled(lib, path):
    call = pickle.loads(pickle.dumps(add(lib.sum(1, 2), 3)))
    assert call.compute() == 6
    assert repr(pickle.loads(pickle.dumps(lib))) == repr(lib)
    program = (f"import pickle; print(pickle.loads({pickle.dumps(lib.sum(4))})"
               ".compute())")
    done = subprocess.run([sys.executable, "-c", program], check=True,
                          stdout=subprocess.PIPE)
    assert done.stdout == b"4\n"


# ---- objects ----

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


# ---- failures ----

def test_an_error_is_an_exception(lib, scheduler):
    call = add(lib.fail_with(give("it went wrong")), 1)
    with pytest.raises(plait.TaskError) as caught:
        call.compute()
    assert str(caught.value) == "it went wrong"
    assert caught.value.status == "PLAIT_ETASK"
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.__notes__ == [
        "in task fail_with-0 ← give('it went wrong')"]
    failures = plait.failures(caught.value)
    assert [one.exception for one in failures] == [caught.value]
    assert failures[0].sources == ("give('it went wrong')",)


@pytest.mark.parametrize("status, name, kind", [
    (-2, "PLAIT_EINVAL", "TaskError"), (-13, "PLAIT_ESYS", "TaskError"),
    (-6, "PLAIT_ETIMEDOUT", "TimeoutError"),
])
def test_the_status_is_kept(lib, scheduler, status, name, kind):
    with pytest.raises((TimeoutError, plait.TaskError)) as caught:
        lib.fail_with(status, "why").compute()
    assert str(caught.value) == "why"
    assert type(caught.value).__name__ == kind
    assert caught.value.status == name


def test_no_memory(lib):
    with pytest.raises(MemoryError):
        lib.no_memory().compute()


def test_failures_are_logged_when_they_happen(lib, scheduler, caplog):
    call = lib.fail_with("oh no")
    with pytest.raises(plait.TaskError):
        call.compute()
    (record,) = caplog.records
    assert record.name == "plait" and record.levelname == "ERROR"
    assert "TaskError: oh no" in record.getMessage()
    assert str(call.key) in record.getMessage()


def test_all_failures_are_listed(lib, scheduler):
    parts = [lib.fail_with(f"number {i}") for i in range(5)] + [boom()]
    with pytest.raises(plait.TaskError, match="number 0") as caught:
        add(*parts).compute()
    texts = {str(one.exception) for one in plait.failures(caught.value)}
    assert texts == {"boom", *(f"number {i}" for i in range(5))}


def test_failures_collected(lib, scheduler):
    bad = lib.fail_with("bad")
    values = plait.compute(bad, add(bad), lib.sum(bad), lib.sum(1),
                           lib.sum(boom()), on_error="collect")
    assert [bool(one) for one in values] == [False, False, False, True, False]
    assert str(values[0].exception) == "bad" and not values[0].skipped
    assert all(one.skipped and one.cause_key == bad.key
               and one.exception is values[0].exception
               for one in values[1:3])
    assert isinstance(values[4].exception, ValueError) and values[4].skipped


def test_a_python_task_that_takes_failures(lib, scheduler):
    def summarize(results):
        ok, failed = plait.split(results)
        return ok, [str(one.exception) for one in failed]

    parts = [lib.sum(1), lib.fail_with("x"), lib.sum(lib.fail_with("y")),
             boom(), give(2)]
    result = delayed(summarize, on_failure="pass")(parts).compute()
    assert result == ([1, 2], ["x", "y", "boom"])


def test_a_c_task_that_takes_failures(lib, scheduler):
    first_of = delayed(lib.first_of.__wrapped__, on_failure="pass")
    assert first_of(lib.fail_with("x")).compute() == "an error"
    assert first_of(boom()).compute() == "an error"
    assert first_of([1]).compute() == 1


def test_retries(lib, scheduler, caplog):
    with plait.annotate(retries=2):
        call = lib.flaky(3)
    assert call.compute() == 3
    assert delayed(lib.flaky.__wrapped__, retries=1)(2).compute() == 2
    assert caplog.records == []
    with pytest.raises(plait.TaskError, match="attempt 2"):
        delayed(lib.flaky.__wrapped__, retries=1)(3).compute()
    assert len(caplog.records) == 1


def test_a_time_limit(lib, scheduler):
    nap = delayed(lib.cancelled_nap.__wrapped__, timeout=0.05)
    with pytest.raises(TimeoutError, match="told to stop"):
        nap().compute()


def test_an_error_that_ends_the_run(lib, scheduler):
    for on_error in ("finish", "collect"):
        with pytest.raises(plait.TaskError, match="^enough$") as caught:
            plait.compute(lib.sum(lib.stop(), 1), on_error=on_error)
        assert caught.value.status == "PLAIT_ETASK"


def test_debug_runs_it_again(lib, scheduler):
    with pytest.raises(plait.TaskError) as caught:
        lib.unbox(give(3)).compute()
    with pytest.raises(plait.TaskError, match="no box"):
        plait.debug(caught.value)


def test_states(lib):
    flag = bytearray(BIG)
    calls = [lib.sum(1), lib.wait_for_others(flag), lib.fail_with("x")]
    after = lib.same(calls[1])
    run = plait.start(*calls, after, num_workers=2)
    assert not run.wait(0.02)
    assert run.state(after) == "waiting"
    flag[0] = 1
    assert run.wait(10)
    assert [run.state(one) for one in (*calls, after)] == [
        "done", "done", "errored", "done"]
    assert run.result(after) is True
    counts = run.counts()
    assert counts["total"] == 4 and counts["done"] == 3


def test_callbacks_see_what_c_made(lib, scheduler):
    seen = {}

    def note(key, result, dsk, state, worker):
        seen[key] = result

    made = give([1], dask_key_name="made")
    total = lib.sum(made, 2, dask_key_name="total")
    end = add(total, 1, dask_key_name="end")
    with plait.callbacks.Callback(posttask=note):
        assert end.compute() == 4
    assert seen == {"made": [1], "total": 3, "end": 4}


# ---- libraries ----

def test_a_library_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="cannot load .*nowhere.so.*No such file"):
        plait.native("nowhere.so")
    (tmp_path / "text.so").write_text("no library" * 100)
    with pytest.raises(OSError, match="text.so: invalid ELF header"):
        plait.native(tmp_path / "text.so")


def test_a_name_is_a_file_here(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    for name in ("tasks.so", "./tasks.so", b"tasks.so", path):
        here = plait.native(name)
        assert here.__file__ == str(path)
        assert str(path) in repr(here)
        assert here.sum(1).compute() == 1


def test_what_is_no_path():
    with pytest.raises(TypeError):
        plait.native(3)
    with pytest.raises(ValueError):
        plait.native("a\0b")


def test_a_function_that_is_not_there(lib):
    with pytest.raises(AttributeError, match="tasks.so has no .*'missing'"):
        lib.missing
    assert not hasattr(lib, "missing")
    for name, why in [("not_a_function", "no function"),
                      ("malloc", "another library's"),
                      ("plait_nil", "another library's|has no")]:
        with pytest.raises(AttributeError, match=why):
            getattr(lib, name)


def test_a_library_of_another_libplait(folder):
    source = folder / "other.c"
    source.write_text("unsigned plait_abi_version(void);\n"
                      "unsigned plait_abi_version(void) { return 0; }\n")
    other = build(folder / "other.so", source)
    with pytest.raises(ImportError) as caught:
        plait.native(other)
    words = str(caught.value)
    assert words.count(str(other)) == 2  # it, and the libplait that it uses
    assert "another libplait" in words and "libplait.so.0" in words


def test_a_library_that_is_linked_to_another_file(folder):
    ours = pathlib.Path(plait._core.__file__).parent / "libplait.so.0"
    (folder / "elsewhere").mkdir()
    copy = shutil.copy(ours, folder / "elsewhere")
    source = ROOT / "python" / "tests" / "native" / "tasks.c"
    linked = build(folder / "linked.so", source, copy,
                   f"-Wl,-rpath,{folder}/elsewhere")
    assert plait.native(linked).sum(give(1), 2).compute() == 3


# ---- the example ----

ROWS = ["carrier,delay", "AA,1", "AA,3", "BB,10", ",", "BB,NA"]


@pytest.fixture(scope="module")
def csv(folder):
    sources = sorted((ROOT / "examples" / "csv_pipeline").glob("*.c"))
    parts = [one for one in sources if one.name != "csv_pipeline.c"]
    return plait.native(build(folder / "csv_pipeline.so", *parts, "-lcsv",
                              "-lm"))


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"file_{i}.csv" for i in range(5)]
    for one in paths:
        one.write_text("\n".join(ROWS) + "\n")
    return [str(one) for one in paths]


def analyses(csv, files):
    for one in files:
        yield csv.analyze(csv.clean_data(csv.load_data(one)),
                          ["carrier", "delay"])


def test_the_csv_pipeline(csv, files, scheduler):
    summary = csv.summarize(list(analyses(csv, files)), True).compute()
    assert summary["files"] == 5
    assert summary["rows"] == 25
    groups = summary["groups"][0]["groups"]
    assert {one["key"]: one["mean"] for one in groups} == {"AA": 2, "BB": 10}
    text = csv.summarize(list(analyses(csv, files)), False).compute()
    assert "carrier" in text


def test_the_csv_pipeline_with_steps_in_python(csv, files, scheduler):
    @delayed
    def path_of(i):
        return files[i]

    @delayed(on_failure="pass")
    def keep(results):
        return plait.split(results)[0]

    os.remove(files[3])
    parts = list(analyses(csv, [path_of(i) for i in range(5)]))
    summary = csv.summarize(keep(parts), True)
    assert summary["files"].compute() == 4
    with pytest.raises(plait.TaskError, match="file_3.csv: cannot be opened"):
        csv.summarize(parts, True).compute()


def test_the_csv_pipeline_with_wrong_arguments(csv, files):
    table = csv.load_data(files[0])
    for call in (csv.load_data(), csv.load_data(3), csv.clean_data(1),
                 csv.analyze(1, []),
                 csv.analyze(csv.clean_data(table), ["carrier", 3]),
                 csv.clean_data(csv.clean_data(table)),
                 csv.summarize([1], True), csv.summarize()):
        with pytest.raises(plait.TaskError):
            call.compute()


# ---- the guide ----

def test_the_guide(tmp_path):
    """Its library is built and its programs print what it says."""
    page = (ROOT / "docs" / "guide" / "c-functions.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", page, re.M | re.S)
    assert [kind for kind, _ in blocks] == ["c", "py", "text", "py", "text"]
    source = tmp_path / "stats.c"
    source.write_text(blocks[0][1])
    build(tmp_path / "stats.so", source, "-lm")
    for program, expected in (blocks[1:3], blocks[3:5]):
        done = subprocess.run([sys.executable, "-c", program[1]], text=True,
                              cwd=tmp_path, capture_output=True, check=False)
        assert (done.stdout, done.stderr) == (expected[1], "")
