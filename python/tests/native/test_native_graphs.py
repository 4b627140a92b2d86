# SPDX-License-Identifier: BSD-3-Clause
"""C functions and tasks in Python in one graph."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plait
from c_library import BIG, SCHEDULERS, Point, add, give
from plait import delayed


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
