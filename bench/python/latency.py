#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures how long other threads wait, and how soon Ctrl-C counts.

The first table: a thread wants to run every millisecond while 1,000,000 tasks
that add numbers are computed; the longest time for which it didn't. Beside it
is a plain loop that adds, as often: there the interpreter switches threads by
itself, after 5 ms.

The second: the milliseconds from the signal to KeyboardInterrupt in the thread
that computes, the median and the longest. Each is measured in a process of its
own. What is in --python and --realtime is as for run.py.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import run

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tables import table  # noqa: E402

LIMIT_S = 120

GAP = """
import json, operator, threading, time
import plait

class Ticker(threading.Thread):
    going, gap = True, 0.0

    def run(self):
        last = time.perf_counter()
        while self.going:
            time.sleep(0.001)
            now = time.perf_counter()
            self.gap = max(self.gap, now - last)
            last = now

def loop(calls):
    for _ in calls:
        operator.add(1, 2)

def tasks(calls):
    plait.compute(*calls, scheduler={scheduler!r}, num_workers=2)

if {scheduler!r} == "plain":
    calls, work = range(1_000_000), loop
else:
    add = plait.delayed(operator.add)
    calls, work = [add(i, i) for i in range(1_000_000)], tasks
ticker = Ticker(daemon=True)
ticker.start()
time.sleep(0.1)
ticker.gap = 0.0
began = time.perf_counter()
work(calls)
took = time.perf_counter() - began
print(json.dumps(dict(gap_ms=1e3 * ticker.gap, took_ms=1e3 * took)))
"""

STOPPED = """
import hashlib, operator, threading, time
import plait
from plait import compute, delayed

def ready():
    print("ready", flush=True)

def go(*targets):
    compute(*targets, scheduler={scheduler!r}, num_workers=2)

def spin():
    ready()
    while True:
        pass

def sleep():
    ready()
    time.sleep(60)

def nest():
    go(delayed(sleep)())

def begin_soon():
    threading.Timer(0.05, ready).start()

def add_many():
    threading.Timer(0.3, ready).start()
    add = delayed(operator.add)
    while True:
        go(*[add(i, i) for i in range(100_000)])

def lower_many():
    add = delayed(operator.add)
    last = add(0, 0)
    for _ in range(1_000_000):
        last = add(last, 1)
    begin_soon()
    while True:
        go(last)

def call_long():
    long = delayed(hashlib.pbkdf2_hmac)("sha256", b"a", b"b", 50_000_000)
    go(delayed(ready)(), long)

try:
    {action}
except KeyboardInterrupt:
    print(time.monotonic())
"""

SIGNALS = {
    "a loop in Python": ("go(delayed(spin)())", ["sync", "threads"]),
    "time.sleep": ("go(delayed(sleep)())", ["sync", "threads"]),
    "many short calls of C": ("add_many()", ["sync", "threads"]),
    "a long call of C": ("call_long()", ["threads"]),
    "a computation in a task": ("go(delayed(nest)())", ["sync", "threads"]),
    "a graph of 1,000,000 is read": ("lower_many()", ["sync", "threads"]),
}


class Children:
    """Programs that are measured, one after the other."""

    def __init__(self, python, realtime):
        self.python = python
        self.before = run.go_first if realtime else None

    def begin(self, program):
        return subprocess.Popen(
            [self.python, "-c", program], stdout=subprocess.PIPE, text=True,
            cwd="/", preexec_fn=self.before)

    def gap(self, scheduler):
        child = self.begin(GAP.format(scheduler=scheduler))
        return json.loads(child.communicate(timeout=LIMIT_S)[0])

    def interrupt_ms(self, action, scheduler):
        """From the signal to the exception."""
        child = self.begin(STOPPED.format(action=action, scheduler=scheduler))
        child.stdout.readline()
        time.sleep(0.02)
        sent = time.monotonic()
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=LIMIT_S)[0].split()
        return 1e3 * (float(said[-1]) - sent)


def gap_table(children, repeats):
    lines = []
    for scheduler in ("plain", "sync", "threads"):
        found = [children.gap(scheduler) for _ in range(repeats)]
        gaps = [one["gap_ms"] for one in found]
        took = statistics.median(one["took_ms"] for one in found)
        lines.append(["a plain loop" if scheduler == "plain" else scheduler,
                      f"{took:.0f}", f"{statistics.median(gaps):.1f}",
                      f"{max(gaps):.1f}"])
    return table("The longest time for which a thread that wants to run every "
                 "millisecond\ndidn't, while 1,000,000 numbers are added: ms",
                 ["", "in all", "median", "longest"], lines)


def signal_table(children, repeats):
    lines = []
    for name, (action, schedulers) in SIGNALS.items():
        for scheduler in schedulers:
            found = [children.interrupt_ms(action, scheduler)
                     for _ in range(repeats)]
            lines.append([name, scheduler, f"{statistics.median(found):.1f}",
                          f"{max(found):.1f}"])
    return table("From SIGINT to KeyboardInterrupt: ms",
                 ["while there runs", "", "median", "longest"], lines)


def main():
    parser = argparse.ArgumentParser(
        description="Measure how long others wait for Plait in Python.")
    parser.add_argument("--python", metavar="PATH")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--realtime", action="store_true")
    settings = parser.parse_args()
    children = Children(settings.python or run.make_venv(), settings.realtime)
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f} at the "
          "beginning")
    print(gap_table(children, settings.repeats))
    print(signal_table(children, settings.repeats))


if __name__ == "__main__":
    main()
