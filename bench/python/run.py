#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures delayed calls of Plait beside Dask's, the standard library's
futures, functools.partial and a plain loop, and prints one table of ratios.

Each system and graph runs in a process of its own, so that its memory is its
own and a crash is one row that says so. The systems take turns within each
repeat, so that a slow moment of the machine hits all of them. What is printed
are medians over the repeats. --json keeps every measured number.

Without --python it makes a venv in build/bench/python, with the newest Dask
and this checkout's Plait, from PyPI: for that a network is needed, once.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / "build" / "bench" / "python"
NEEDED = "tools/python-dask-2026.8.0.txt"
SYSTEMS = ["plait", "plait-sync", "plain", "partials", "futures", "dask",
           "dask-sync", "dask-on-plait"]
USUAL = [name for name in SYSTEMS if name not in ("plait-sync", "dask-sync")]
SHAPES = ["fanin", "chain", "tree", "pipeline", "mixed", "targets"]
SIZES = [1000, 10_000, 100_000, 1_000_000]
LIMIT_S = 60            # of one computation, and of a process
SLOW_S = 5              # what takes so long is measured once
WORKERS = 2
WAITING = ["plait", "dask", "futures"]
SLEEPS = dict(what="sleep", tasks=400, workers=8)
SORTS = dict(what="numpy", tasks=32)


class Programs:
    """One child process after the other."""

    def __init__(self, python, realtime):
        self.python = python
        self.realtime = realtime
        # No other threads than those that are measured.
        self.environment = dict(os.environ, OMP_NUM_THREADS="1",
                                OPENBLAS_NUM_THREADS="1")

    def run(self, system, what, tasks, workers):
        """One child's numbers, or {"failed": why}."""
        row = dict(system=system, what=what, tasks=tasks, workers=workers)
        try:
            done = subprocess.run(
                [self.python, str(HERE / "child.py"), system, what,
                 str(tasks), str(workers)],
                env=self.environment, text=True, capture_output=True,
                timeout=LIMIT_S, cwd="/",
                preexec_fn=go_first if self.realtime else None)
        except subprocess.TimeoutExpired:
            return {**row, "failed": f"over {LIMIT_S} s"}
        if done.returncode:
            lines = done.stderr.strip().splitlines()
            return {**row, "failed": lines[-1] if lines
                    else f"exit status {done.returncode}"}
        return {**row, **json.loads(done.stdout)}


def go_first():
    """Before all ordinary programs; only root may."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def key_of(case, tasks=None):
    return (case["system"], case["what"], case["workers"],
            tasks or case["tasks"])


def too_long(rows, case, sizes):
    """Why a case is not tried: by the time of the next smaller graph, which
    grows with the number of tasks at least."""
    at = sizes.index(case["tasks"])
    smaller = rows[key_of(case, sizes[at - 1])] if at else []
    if not smaller:
        return None
    for row in smaller:
        if "failed" in row:
            return row["failed"]
    least = min(row["gc"]["whole_s"] for row in smaller)
    if least * case["tasks"] / sizes[at - 1] < LIMIT_S:
        return None
    return f"would take over {LIMIT_S} s"


def repeated(programs, repeats, cases, sizes):
    """Runs the cases in turns; one merged row per case."""
    rows = {}
    for repeat in range(repeats):
        for case in cases:
            mine = rows.setdefault(key_of(case), [])
            if any("failed" in row or row["gc"]["whole_s"] > SLOW_S
                   for row in mine):
                continue
            say(f"repeat {repeat + 1} of {repeats}: "
                + " ".join(str(word) for word in case.values()))
            reason = too_long(rows, case, sizes) if sizes else None
            mine.append({**case, "failed": reason} if reason
                        else programs.run(**case))
    say("")
    return [merged(each) for each in rows.values()]


def merged(rows):
    """Medians over the repeats of one case."""
    failed = [row for row in rows if "failed" in row]
    if failed:
        return failed[0]
    out = dict(rows[0], repeats=len(rows))
    for mode in ("gc", "no_gc"):
        each = [row[mode] for row in rows if row.get(mode)]
        out[mode + "_each"] = each
        out[mode] = {key: statistics.median(one[key] for one in each)
                     for key in each[0]} if each else None
    if "peak_bytes" in out:
        out["peak_bytes"] = statistics.median(row["peak_bytes"]
                                              for row in rows)
    return out


def measure_graphs(programs, settings):
    cases = [dict(system=system, what=shape, tasks=tasks, workers=WORKERS)
             for shape in settings.shapes
             for tasks in settings.sizes
             for system in settings.systems
             if system != "dask-on-plait" or shape == "targets"]
    return repeated(programs, settings.repeats, cases, settings.sizes)


def measure_work(programs, settings):
    systems = [name for name in WAITING if name in settings.systems]
    cases = [dict(system=system, **SLEEPS) for system in systems]
    cases += [dict(system=system, **SORTS, workers=workers)
              for workers in (1, 2) for system in systems]
    return repeated(programs, settings.repeats, cases, None)


def say(text):
    if sys.stderr.isatty():
        print("\r\033[K" + text[:78], end="", file=sys.stderr, flush=True)


def make_venv():
    """The interpreter of a venv with all that is measured."""
    def pip(*words):
        subprocess.run([str(VENV / "bin/python"), "-m", "pip", "install", "-q",
                        "--disable-pip-version-check", *words], cwd=ROOT,
                       check=True, stdout=sys.stderr)

    if not (VENV / "bin/python").exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip("-r", NEEDED)
    pip("--no-deps", "--force-reinstall", ".")
    return str(VENV / "bin/python")


def machine(python):
    model = ""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
    told = subprocess.run(
        [python, "-c", "import sys, dask; print(sys.version.split()[0], "
         "dask.__version__)"], text=True, capture_output=True, check=True,
        cwd="/").stdout.split()
    return {"cpu": model or platform.processor(), "cpus": os.cpu_count(),
            "system": platform.platform(), "python": told[0], "dask": told[1],
            "date": time.strftime("%Y-%m-%d"),
            "load": round(os.getloadavg()[0], 1)}


def some_of(allowed, kind=str):
    def parse(text):
        names = [kind(name) for name in text.split(",")]
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(
                    f"{name}: not one of {', '.join(map(str, allowed))}")
        return names
    return parse


def arguments():
    parser = argparse.ArgumentParser(
        description="Measure delayed calls of Plait beside its peers.")
    parser.add_argument("--python", metavar="PATH",
                        help="an interpreter that has plait, dask and numpy "
                             "(default: one in build/bench/python)")
    parser.add_argument("--quick", action="store_true",
                        help="one repeat, to 10,000 tasks: a look, no figure")
    parser.add_argument("--repeats", type=int, help="default 5")
    parser.add_argument("--sizes", type=some_of(SIZES, int),
                        metavar="TASKS", help=",".join(map(str, SIZES)))
    parser.add_argument("--shapes", type=some_of(SHAPES), default=SHAPES,
                        help=",".join(SHAPES))
    parser.add_argument("--systems", type=some_of(SYSTEMS), default=USUAL,
                        help=",".join(SYSTEMS) + " (default: all but those "
                             "in -sync)")
    parser.add_argument("--realtime", action="store_true",
                        help="measured programs go before all others (root, "
                             "Linux): for a machine that isn't idle")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write every number there")
    settings = parser.parse_args()
    settings.repeats = settings.repeats or (1 if settings.quick else 5)
    settings.sizes = sorted(settings.sizes
                            or (SIZES[:2] if settings.quick else SIZES))
    return settings


def main():
    settings = arguments()
    python = settings.python or make_venv()
    programs = Programs(python, settings.realtime)
    result = {"machine": machine(python),
              "settings": {"repeats": settings.repeats, "workers": WORKERS,
                           "realtime": settings.realtime}}
    print(report.head(result))
    result["graphs"] = measure_graphs(programs, settings)
    print(report.graphs_table(result["graphs"]), flush=True)
    result["work"] = measure_work(programs, settings)
    print(report.work_table(result["work"]))
    result["ratios"] = report.ratios(result["graphs"])
    if settings.json:
        settings.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
