# SPDX-License-Identifier: BSD-3-Clause
"""Computations beside the rest of the program: its threads, its tools, its
modules and its folder."""

from __future__ import annotations

import asyncio
import importlib
import operator
import os
import subprocess
import sys
import threading
import time

import pytest

import plait
from plait import acompute, compute, delayed


@pytest.fixture(params=["sync", "threads"])
def scheduler(request):
    return request.param


def run_program(tmp_path, text, *options):
    (tmp_path / "program.py").write_text(text)
    return subprocess.run([sys.executable, *options, "program.py"],
                          cwd=tmp_path, capture_output=True, text=True,
                          timeout=120, check=False)


# ---- other threads ----


class Ticker(threading.Thread):
    """Wakes every millisecond, and notes the longest that took."""

    def __init__(self):
        super().__init__(daemon=True)
        self.going = True
        self.gap = 0.0
        self.ticks = 0

    def run(self):
        last = time.monotonic()
        while self.going:
            time.sleep(0.001)
            now = time.monotonic()
            self.gap = max(self.gap, now - last)
            self.ticks += 1
            last = now


def test_a_million_tasks_starve_no_thread(scheduler):
    """Calls of C, each shorter than the interpreter's switch interval, and so
    never interrupted by it."""
    add = delayed(operator.add)
    tasks = [add(n, n) for n in range(1_000_000)]
    ticker = Ticker()
    ticker.start()
    values = compute(*tasks, scheduler=scheduler)
    ticker.going = False
    ticker.join()
    assert values[-1] == 1_999_998
    print(f"{scheduler}: {ticker.ticks} ticks, the largest gap "
          f"{1000 * ticker.gap:.1f} ms")
    assert ticker.ticks > 5


def test_a_long_chain_starves_no_thread(scheduler):
    add = delayed(operator.add)
    value = add(0, 0)
    for _ in range(300_000):
        value = add(value, 1)
    ticker = Ticker()
    ticker.start()
    assert value.compute(scheduler=scheduler) == 300_000
    ticker.going = False
    ticker.join()
    print(f"{scheduler}: a chain, {ticker.ticks} ticks, the largest gap "
          f"{1000 * ticker.gap:.1f} ms")
    assert ticker.ticks > 5


def test_a_task_may_wait_for_a_thread_of_the_programs(scheduler):
    asked, answered = threading.Event(), threading.Event()

    def answer():
        asked.wait(30)
        answered.set()

    thread = threading.Thread(target=answer)
    thread.start()

    @delayed
    def ask():
        asked.set()
        return answered.wait(30)

    assert ask().compute(scheduler=scheduler)
    thread.join()


def test_stage_two_of_one_input_begins_before_stage_one_of_another_ends():
    second_began = threading.Event()

    @delayed
    def first(name):
        if name == "slow":
            assert second_began.wait(30)
        return name

    @delayed
    def second(name):
        if name == "fast":
            second_began.set()
        return name

    names = [second(first(name)) for name in ("slow", "fast")]
    assert compute(*names, num_workers=2) == ("slow", "fast")


def test_many_threads_compute_at_once(scheduler):
    def body(number, sums):
        for _ in range(20):
            tasks = [delayed(operator.add)(n, number) for n in range(50)]
            sums.append(delayed(sum)(tasks).compute(scheduler=scheduler))

    lists = [[] for _ in range(10)]
    threads = [threading.Thread(target=body, args=(number, sums))
               for number, sums in enumerate(lists)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lists == [[1225 + 50 * number] * 20 for number in range(10)]


def test_many_threads_compute_the_same_graph(scheduler):
    """While one lists its tasks others begin to, and mark them as theirs."""
    calls = [0] * 30_000
    links = []

    def link(number, before):
        calls[number] += 1
        return before + 1

    value = 0
    for number in range(len(calls)):
        value = delayed(link)(number, value)
        links.append(value)
    values = []
    threads = [threading.Thread(
        target=lambda: values.append(compute(*links, scheduler=scheduler)))
        for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert values == [tuple(range(1, len(calls) + 1))] * 4
    assert set(calls) == {4}


def test_compute_inside_of_asyncio(scheduler):
    """The loop stands still, as with any call that blocks; acompute lets it
    go on."""
    async def main():
        beats = 0

        async def beat():
            nonlocal beats
            while True:
                beats += 1
                await asyncio.sleep(0)

        beating = asyncio.create_task(beat())
        assert delayed(abs)(-1).compute(scheduler=scheduler) == 1
        assert beats == 0
        value = await acompute(delayed(time.sleep)(0.02), scheduler=scheduler)
        beating.cancel()
        assert value is None
        assert beats > 1

    asyncio.run(main())


def test_a_task_may_run_an_event_loop(scheduler):
    async def answer():
        await asyncio.sleep(0)
        return 42

    @delayed
    def task():
        return asyncio.run(answer())

    assert compute(task(), task(), scheduler=scheduler) == (42, 42)


# ---- tools ----

TRACED = """\
import sys
import threading
from plait import compute, delayed

def body(x):
    y = x + 1
    if y > 2:
        y = -y
    return y

if __name__ == "__main__":
    lines = set()
    def trace(frame, event, arg):
        if frame.f_code is body.__code__:
            lines.add(frame.f_lineno - body.__code__.co_firstlineno)
            return trace
    threading.settrace(trace)
    sys.settrace(trace)
    values = compute(*map(delayed(body), range(4)), scheduler=SCHEDULER)
    sys.settrace(None)
    assert values == (1, 2, -3, -4)
    print(sorted(lines - {0}))
"""


def test_settrace_sees_the_lines_of_tasks(tmp_path, scheduler):
    done = run_program(tmp_path, TRACED.replace("SCHEDULER", repr(scheduler)))
    assert done.stdout == "[1, 2, 3, 4]\n", done.stderr


def test_setprofile_sees_the_calls_of_tasks(tmp_path, scheduler):
    done = run_program(tmp_path, f"""\
import sys, threading
from plait import compute, delayed
def body(x):
    return x
seen = []
def profile(frame, event, arg):
    if event == "call" and frame.f_code is body.__code__:
        seen.append(threading.current_thread().name)
threading.setprofile(profile)
sys.setprofile(profile)
compute(*map(delayed(body), range(10)), scheduler={scheduler!r})
sys.setprofile(None)
print(len(seen))
""")
    assert done.stdout == "10\n", done.stderr


def test_coverage_of_a_task_is_whole(tmp_path, scheduler):
    (tmp_path / "tasks.py").write_text(TRACED[:TRACED.index("if __name")])
    (tmp_path / "program.py").write_text(f"""\
import tasks
from plait import compute, delayed
compute(*map(delayed(tasks.body), range(4)), scheduler={scheduler!r})
""")
    for words in (["run", "--include=tasks.py", "program.py"],
                  ["report", "--fail-under=100"]):
        done = subprocess.run([sys.executable, "-m", "coverage", *words],
                              cwd=tmp_path, capture_output=True, text=True,
                              timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_breakpoint_in_a_task(tmp_path, scheduler):
    (tmp_path / "program.py").write_text(f"""\
from plait import delayed
@delayed
def body(x):
    breakpoint()
    return x + 1
print("value", body(41).compute(scheduler={scheduler!r}))
""")
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path,
                          input="p x\nc\n", capture_output=True, text=True,
                          timeout=60, check=False)
    assert "41" in done.stdout
    assert "value 42" in done.stdout


# ---- modules, folders, environment ----


def test_reloading_the_package(scheduler):
    before = delayed(operator.add)(1, 2)
    importlib.reload(plait)
    importlib.reload(importlib.import_module("plait.failures"))
    after = plait.delayed(operator.add)(before, 3)
    assert isinstance(after, plait.Delayed)
    assert after.compute(scheduler=scheduler) == 6


def test_a_function_that_is_reloaded_runs_as_it_is_now(
        tmp_path, monkeypatch, scheduler):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "pipeline_of_mine.py").write_text("def f():\n    return 1\n")
    module = importlib.import_module("pipeline_of_mine")
    assert delayed(module.f)().compute(scheduler=scheduler) == 1
    (tmp_path / "pipeline_of_mine.py").write_text("def f():\n    return 22\n")
    importlib.reload(module)
    assert delayed(module.f)().compute(scheduler=scheduler) == 22
    del sys.modules["pipeline_of_mine"]


def test_tasks_are_in_the_folder_where_the_program_is_now(
        tmp_path, monkeypatch, scheduler):
    assert delayed(os.getcwd)().compute(scheduler=scheduler) == os.getcwd()
    monkeypatch.chdir(tmp_path)
    assert delayed(os.getcwd)().compute(scheduler=scheduler) == str(tmp_path)


def test_tasks_see_the_environment_as_it_is_now(monkeypatch, scheduler):
    for word in ("one", "two"):
        monkeypatch.setenv("A_VARIABLE_OF_MINE", word)
        read = delayed(os.environ.get)("A_VARIABLE_OF_MINE", pure=False)
        assert read.compute(scheduler=scheduler) == word


def test_modules_of_the_folder_are_not_ours(tmp_path):
    """A file of one's own may be called as a module of the library is."""
    for name in ("random", "uuid", "logs", "threaded", "config", "executors"):
        (tmp_path / f"{name}.py").write_text(f"print('{name} was imported')\n")
    done = run_program(tmp_path, """\
import plait
from plait import delayed
@delayed
def body(x):
    return x + 1
assert body(1).compute() == 2
assert delayed(abs, pure=True)(-1).compute(scheduler="sync") == 1
plait.log_fields()
assert body(body(1)).key
with plait.ThreadPoolExecutor(2) as executor:
    assert executor.submit(abs, -1).result() == 1
print("fine")
""")
    assert done.stdout == "fine\n", done.stdout + done.stderr


# ---- forks, and the end ----


def test_a_fork_in_the_middle(tmp_path):
    """Child and parent go on, each with its own threads."""
    done = run_program(tmp_path, """\
import os, sys, threading, time
from plait import compute, delayed, start
going = threading.Event()
@delayed
def wait(n):
    going.wait(30)
    return n
run = start(*map(wait, range(4)))
time.sleep(0.05)
child = os.fork()
if child == 0:
    assert compute(*[delayed(abs)(-n) for n in range(100)]) == tuple(
        range(100))
    sys.exit(7)
_, status = os.waitpid(child, 0)
going.set()
assert run.result() == [0, 1, 2, 3]
assert delayed(abs)(-2).compute() == 2
print(os.waitstatus_to_exitcode(status))
""", "-W", "ignore")
    assert done.stdout == "7\n", done.stdout + done.stderr


def test_a_fork_in_a_task(tmp_path):
    done = run_program(tmp_path, """\
import os
from plait import compute, delayed
@delayed
def fork(n):
    child = os.fork()
    if child == 0:
        os._exit(n)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
for scheduler in "sync", "threads":
    print(compute(*map(fork, range(5)), scheduler=scheduler))
""", "-W", "ignore")
    assert done.stdout == "(0, 1, 2, 3, 4)\n" * 2, done.stdout + done.stderr


END = """\
import sys, threading, time
from plait import delayed, start
begun = threading.Event()
@delayed
def body(n):
    begun.set()
    BODY
run = start(*map(body, range(4)))
begun.wait()
print("bye", flush=True)
HOW
"""
BODIES = {
    "sleeps": "time.sleep(60)",
    "loops": "while True: pass",
    "computes": "return delayed(time.sleep)(60).compute()",
    "prints": "while True: sys.stderr.write('')",
}


@pytest.mark.parametrize("how", ["pass", "sys.exit(0)", "raise SystemExit"])
@pytest.mark.parametrize("body", BODIES)
def test_the_program_ends_while_tasks_run(tmp_path, body, how):
    text = END.replace("BODY", BODIES[body]).replace("HOW", how)
    done = run_program(tmp_path, text)
    assert done.stdout == "bye\n"
    assert done.stderr == ""
    assert done.returncode == 0
