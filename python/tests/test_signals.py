# SPDX-License-Identifier: BSD-3-Clause
"""Ctrl-C at a terminal: the computation ends at once, whatever its tasks do,
and the pool can be used again."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

HEAD = """\
import hashlib, threading, time
import plait
from plait import compute, delayed
SCHEDULER = {scheduler!r}

def ready():
    # in one piece: tasks on other threads print too
    print("ready\\n", end="", flush=True)
"""

TAIL = """
try:
    run()
    print("ended")
except KeyboardInterrupt:
    print("interrupted", flush=True)
value = delayed(sum)([delayed(pow)(n, 2) for n in range(4)]).compute(
    scheduler=SCHEDULER, num_workers=3)
print(f"usable {value}\\n", end="", flush=True)
"""

LOOP = """
@delayed
def task(n):
    ready()
    while True:
        pass
def run():
    compute(*map(task, range(3)), scheduler=SCHEDULER, num_workers=2)
"""

SLEEP = """
@delayed
def begin():
    ready()
def run():
    tasks = [delayed(time.sleep)(60 + n) for n in range(3)]
    compute(begin(), *tasks, scheduler=SCHEDULER, num_workers=2)
"""

# No Python code runs in it, and nothing can end it; the lock is free meanwhile.
LONG_CALL = """
@delayed
def begin():
    ready()
def run():
    long = delayed(hashlib.pbkdf2_hmac)("sha256", b"a", b"b", 50_000_000)
    compute(begin(), long, scheduler=SCHEDULER, num_workers=2)
"""

NESTED = """
def inner(n):
    ready()
    time.sleep(60)
def middle(n):
    tasks = [delayed(inner)(i) for i in range(3)]
    return compute(*tasks, scheduler=SCHEDULER, num_workers=2)
def run():
    compute(*[delayed(middle)(i) for i in range(3)], scheduler=SCHEDULER,
            num_workers=2)
"""

MANY = """
def add(a, b):
    return a + b
def run():
    ready()
    while True:
        compute(*[delayed(add)(n, n) for n in range(10_000)],
                scheduler=SCHEDULER)
"""

CATCHING = """
@delayed
def task(n):
    ready()
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass
def run():
    compute(task(1), scheduler=SCHEDULER)
"""

EXECUTOR = """
def task(n):
    ready()
    time.sleep(0.5)
def run():
    with plait.ThreadPoolExecutor(2) as executor:
        for future in [executor.submit(task, n) for n in range(2)]:
            future.result()
"""

CASES = {
    "a loop in Python": (LOOP, ["sync", "threads"]),
    "time.sleep": (SLEEP, ["sync", "threads"]),
    "a long call of C": (LONG_CALL, ["threads"]),
    "nested": (NESTED, ["sync", "threads"]),
    "many tasks": (MANY, ["sync", "threads"]),
    "a task that catches exceptions": (CATCHING, ["sync", "threads"]),
    "an executor": (EXECUTOR, ["threads"]),
}
PAIRS = [(case, scheduler) for case, (_, schedulers) in CASES.items()
         for scheduler in schedulers]


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, program):
        self.child, self.master = pty.fork()
        if self.child == 0:
            os.execv(sys.executable, [sys.executable, "-c", program])
        self.said = ""

    def wait_for(self, words, seconds=60):
        """Reads until the program has said this, and what else it said
        before is forgotten; the seconds it took."""
        begin = time.monotonic()
        while words not in self.said:
            left = begin + seconds - time.monotonic()
            assert left > 0, f"no {words!r} in {self.said!r}"
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.said += os.read(self.master, 4096).decode()
                except OSError:  # the program has ended
                    assert words in self.said, self.said
        self.said = self.said.partition(words)[2]
        return time.monotonic() - begin

    def press_control_c(self):
        os.write(self.master, b"\x03")

    def end(self):
        _, status = os.waitpid(self.child, 0)
        os.close(self.master)
        return status


@pytest.fixture
def terminal():
    opened = []

    def begin(program):
        opened.append(Terminal(program))
        return opened[0]

    yield begin
    for one in opened:
        try:
            os.kill(one.child, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.parametrize(("case", "scheduler"), PAIRS)
def test_control_c_ends_a_computation_and_leaves_the_pool(
        terminal, case, scheduler):
    program = HEAD.format(scheduler=scheduler) + CASES[case][0] + TAIL
    at = terminal(program)
    at.wait_for("ready")
    time.sleep(0.05)
    at.press_control_c()
    took = at.wait_for("interrupted")
    print(f"{case}, {scheduler}: {1000 * took:.0f} ms")
    at.wait_for("usable 14")
    assert at.end() == 0


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_an_uncaught_control_c_ends_the_program_by_the_signal(
        terminal, scheduler):
    program = HEAD.format(scheduler=scheduler) + LOOP + "run()\n"
    at = terminal(program)
    at.wait_for("ready")
    at.press_control_c()
    at.wait_for("KeyboardInterrupt")
    status = at.end()
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGINT


def test_control_c_again_and_again(terminal):
    program = HEAD.format(scheduler="threads") + LOOP + """
for n in range(5):
    try:
        run()
    except KeyboardInterrupt:
        print(f"interrupted {n}\\n", end="", flush=True)
n = sum(t.name.startswith("plait-") for t in threading.enumerate())
print(f"threads {n}\\n", end="", flush=True)
"""
    at = terminal(program)
    for n in range(5):
        at.wait_for("ready")
        at.press_control_c()
        at.wait_for(f"interrupted {n}")
    at.wait_for("threads 2")
    assert at.end() == 0


def test_a_handler_may_compute_while_a_graph_is_made_ready():
    program = HEAD.format(scheduler="sync") + """
import signal
add = delayed(lambda x, y: x + y)
value = add(0, 0)
for _ in range(200_000):
    value = add(value, 1)
handled = []
def handle(number, frame):
    handled.append(None)
    if len(handled) == 1:
        handled[0] = value.compute(scheduler="sync")
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.005)
values = [value.compute(scheduler="sync") for _ in range(3)]
signal.setitimer(signal.ITIMER_REAL, 0)
print(values, handled[0], len(handled) > 3)
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=60,
                          capture_output=True, text=True, check=False)
    assert done.stdout == "[200000, 200000, 200000] 200000 True\n"


def test_control_c_while_a_graph_is_made_ready(terminal):
    """Of two million tasks, none of which runs before."""
    program = HEAD.format(scheduler="threads") + """
tasks = [delayed(abs)(n) for n in range(2_000_000)]
print("ready", flush=True)
try:
    from plait import compute
    for _ in range(1000):
        compute(tasks)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    at = terminal(program)
    at.wait_for("ready")
    time.sleep(0.05)
    at.press_control_c()
    took = at.wait_for("interrupted")
    print(f"making ready: {1000 * took:.0f} ms")
    assert at.end() == 0


def test_another_signals_handler_runs_in_time():
    program = HEAD.format(scheduler="threads") + """
import os, signal
def handle(number, frame):
    print("handled", flush=True)
    raise SystemExit(3)
signal.signal(signal.SIGTERM, handle)
def task():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
delayed(task)().compute()
"""
    done = subprocess.run([sys.executable, "-c", program], timeout=30,
                          capture_output=True, text=True, check=False)
    assert done.stdout == "handled\n"
    assert done.returncode == 3
