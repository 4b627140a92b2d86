# SPDX-License-Identifier: BSD-3-Clause
"""child.py SYSTEM WHAT TASKS WORKERS: measures one system in this process, and
prints a line of JSON. WHAT is a shape, "sleep" or "numpy"."""

import gc
import json
import statistics
import sys
import time

from partials import PARTIALS
from shapes import SHAPES
from systems import SYSTEMS

ENOUGH_S = 0.3          # of rounds, in each mode
ROUNDS = 30
LONG_S = 5              # a round that takes so long is enough,
TOO_LONG_S = 20         # and with this there is none without the collector
SLEEP_S = 0.01
SIDE = 1_000_000        # numbers that a task of numpy sorts


def functions(system, shape):
    """What builds, given a number of tasks, and what computes that."""
    if system == "partials":
        build, call = PARTIALS[shape]
        return build, lambda parts, workers: call(parts)
    lazy, compute = SYSTEMS[system]()
    return lambda n: SHAPES[shape](lazy, n), compute


def memory(field):
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return None


def forget_peak():
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def one_round(build, compute, n, workers):
    t0 = time.perf_counter()
    made = build(n)
    t1 = time.perf_counter()
    values = compute(made, workers)
    t2 = time.perf_counter()
    del made, values
    t3 = time.perf_counter()
    return {"build_s": t1 - t0, "compute_s": t2 - t1, "free_s": t3 - t2,
            "whole_s": t2 - t0}


def rounds(build, compute, n, workers):
    """The medians of some rounds."""
    found = [one_round(build, compute, n, workers)]
    until = time.perf_counter() + ENOUGH_S
    while len(found) < ROUNDS and time.perf_counter() < until:
        found.append(one_round(build, compute, n, workers))
    return {key: statistics.median(each[key] for each in found)
            for key in found[0]}


def measure(system, shape, n, workers):
    build, compute = functions(system, shape)
    one_round(build, compute, 100, workers)
    forget_peak()
    before = memory("VmRSS")
    first = one_round(build, compute, n, workers)
    row = {"peak_bytes": memory("VmHWM") - before}
    if first["whole_s"] > TOO_LONG_S:
        return {**row, "gc": first, "no_gc": None}
    is_long = first["whole_s"] > LONG_S
    row["gc"] = first if is_long else rounds(build, compute, n, workers)
    gc.disable()
    row["no_gc"] = rounds(build, compute, n, workers)
    return row


def work_of(what):
    """A function of one argument that leaves the lock to others."""
    if what == "sleep":
        return lambda _: time.sleep(SLEEP_S)
    import numpy

    numbers = numpy.random.default_rng(1).random(SIDE)
    return lambda _: numpy.sort(numbers)[0]


def measure_work(system, what, n, workers):
    lazy, compute = SYSTEMS[system]()
    work = work_of(what)

    def build(n):
        call = lazy(work)
        return [call(i) for i in range(n)]

    one_round(build, compute, workers, workers)
    return {"gc": one_round(build, compute, n, workers)}


def main(system, what, tasks, workers):
    kind = measure if what in SHAPES else measure_work
    print(json.dumps(kind(system, what, int(tasks), int(workers))))


if __name__ == "__main__":
    main(*sys.argv[1:])
