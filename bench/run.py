#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measures Plait beside its peers and prints one table of ratios.

Each system and graph runs in a process of its own, so that its memory is its
own and a crash is one row that says so. The systems take turns within each
repeat, so that a slow moment of the machine hits all of them. What is printed
are medians over the repeats. --json keeps every measured number.

Needs nothing but Python's standard library, and the programs that meson
builds with -Dbench=true (this script does that when it is given no --build).
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tables

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = ["plait", "plait-sync", "walk", "tbb", "tbb-lightweight",
           "openmp-gcc", "openmp-llvm", "starpu"]
GRAPHS = ["chain", "fanin", "fanout", "tree", "wavefront", "layers", "window"]
PARTS = ["graphs", "metg", "speedup", "scale", "cholesky"]
SERIAL = {"walk", "plait-sync"}      # one worker, whatever is asked for
SLOW = {"starpu": 100_000,           # tasks, at most: figures are per task
        "openmp-llvm": 200_000}
TIMEOUT_S = 60
METG_GRAINS_NS = [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600]
SPEEDUP_GRAINS_NS = [1000, 2000, 5000, 10000, 20000, 50000]
SCALE_WORKERS = [1, 2, 4, 16, 64, 256, 1024]
SCALE_SLEEP_NS = 20_000_000
SCALE_ROUNDS = 8                     # sleeping tasks per worker
TILES = [16, 32, 64, 128, 256]
MATRIX = 1024
MARKS = ("<!-- figures begin -->", "<!-- figures end -->")


class Programs:
    """The built programs, and one child process after the other."""

    def __init__(self, folder, chosen, realtime):
        self.folder = folder
        self.realtime = realtime
        self.names = [name for name in SYSTEMS
                      if name in chosen and (folder / f"bench-{name}").exists()]
        self.missing = [name for name in chosen if name not in self.names]
        self.scratch = tempfile.TemporaryDirectory(prefix="plait-bench-")
        self.environment = dict(
            os.environ, STARPU_HOME=self.scratch.name, STARPU_SILENT="1")

    def run(self, system, **options):
        """One child's numbers, or {"failed": why}."""
        command = [str(self.folder / f"bench-{system}")]
        for name, value in options.items():
            command += ["--" + name.replace("_", "-"), str(value)]
        row = {"system": system, **options}
        # Not for sleeping threads by the thousand: nothing else would run.
        # Not for StarPU, whose spinning workers would keep its main thread
        # from submitting tasks to them.
        first = (self.realtime and system != "starpu"
                 and "sleep_ns" not in options)
        try:
            done = subprocess.run(command, env=self.environment, text=True,
                                  capture_output=True, timeout=TIMEOUT_S,
                                  preexec_fn=go_first if first else None)
        except subprocess.TimeoutExpired:
            return {**row, "failed": f"over {TIMEOUT_S} s"}
        if done.returncode < 0:
            return {**row, "failed": f"killed by signal {-done.returncode}"}
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines()
            return {**row, "failed": lines[-1] if lines else "failed"}
        return {**row, **json.loads(done.stdout)}


def go_first():
    """Before all ordinary programs; only root may."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def repeated(programs, repeats, cases):
    """Runs (system, options) cases in turns; one merged row per case."""
    rows = [[] for _ in cases]
    for repeat in range(repeats):
        for index, (system, options) in enumerate(cases):
            if any("failed" in row for row in rows[index]):
                continue
            say(f"repeat {repeat + 1} of {repeats}: {system} "
                + " ".join(f"{k}={v}" for k, v in options.items()))
            rows[index].append(programs.run(system, **options))
    say("")
    return [merged(each) for each in rows]


def merged(rows):
    """Medians over the repeats of one case."""
    failed = [row for row in rows if "failed" in row]
    if failed:
        return failed[0]
    out = dict(rows[0])
    for key, value in rows[0].items():
        if isinstance(value, int) and (key.endswith("_ns")
                                       or key.endswith("bytes")
                                       or key == "peak_rss"):
            out[key] = statistics.median(row[key] for row in rows)
    again = [statistics.median(row["again_ns"]) for row in rows
             if row["again_ns"]]
    used = [statistics.median(row["again_cpu_ns"]) for row in rows
            if row["again_cpu_ns"]]
    out["again_cpu_ns"] = statistics.median(used) if used else None
    out["again_each_ns"] = [row["again_ns"] for row in rows]
    out["again_ns"] = statistics.median(again) if again else None
    out["whole_ns"] = statistics.median(
        row["build_ns"] + row["plan_ns"] + row["first_ns"] for row in rows)
    out["repeats"] = len(rows)
    return out


def say(text):
    if sys.stderr.isatty():
        print("\r\033[K" + text[:78], end="", file=sys.stderr, flush=True)


def workers_of(system):
    return [1] if system in SERIAL else [1, 2]


def measure_graphs(programs, settings):
    cases = []
    for graph in settings.graphs:
        for system in programs.names:
            for workers in workers_of(system):
                tasks = min(settings.tasks, SLOW.get(system, settings.tasks))
                cases.append((system, dict(graph=graph, tasks=tasks, seed=1,
                                           workers=workers, runs=3)))
    return repeated(programs, settings.repeats, cases)


def measure_metg(programs, settings):
    cases = []
    for grain in METG_GRAINS_NS:
        tasks = max(4000, min(100_000, 100_000_000 // grain))
        for system in programs.names:
            if system in SERIAL or system == "starpu":
                continue
            cases.append((system, dict(graph="stencil", tasks=tasks, workers=2,
                                       runs=5, spin_ns=grain)))
    return repeated(programs, settings.repeats, cases)


def measure_speedup(programs, settings):
    cases = []
    for graph in ("fanin", "stencil"):
        for grain in SPEEDUP_GRAINS_NS:
            for system in ("plait", "tbb", "openmp-gcc"):
                for workers in (1, 2):
                    if system in programs.names:
                        cases.append((system, dict(
                            graph=graph, tasks=100_000_000 // grain,
                            workers=workers, runs=5, spin_ns=grain)))
    return repeated(programs, settings.repeats, cases)


def measure_scale(programs, settings):
    cases = []
    for workers in SCALE_WORKERS:
        for system in ("plait", "tbb", "openmp-gcc"):
            if system in programs.names:
                cases.append((system, dict(
                    graph="fanin", tasks=workers * SCALE_ROUNDS + 1,
                    workers=workers, runs=1, sleep_ns=SCALE_SLEEP_NS)))
    return repeated(programs, min(settings.repeats, 3), cases)


def measure_cholesky(programs, settings):
    cases = []
    for tile in TILES:
        for system in programs.names:
            if system == "walk":
                continue
            for workers in workers_of(system):
                cases.append((system, dict(graph="cholesky", matrix=MATRIX,
                                           tile=tile, workers=workers,
                                           runs=3)))
    return repeated(programs, settings.repeats, cases)


def build():
    """Configures and builds build/bench, as make does; its bench folder."""
    folder = ROOT / "build" / "bench"
    if not (folder / "build.ninja").exists():
        subprocess.run(["meson", "setup", str(folder), "--buildtype=release",
                        "-Dbench=true", "-Dtests=false"],
                       cwd=ROOT, check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", str(folder)], check=True,
                   stdout=sys.stderr)
    return folder / "bench"


def machine():
    model = ""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    except OSError:
        pass
    return {"cpu": model or platform.processor(), "cpus": os.cpu_count(),
            "system": platform.platform(),
            "date": time.strftime("%Y-%m-%d"),
            "load": round(os.getloadavg()[0], 1)}


def comma_list(allowed):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in allowed:
                raise argparse.ArgumentTypeError(
                    f"{name}: not one of {', '.join(allowed)}")
        return names
    return parse


def arguments():
    parser = argparse.ArgumentParser(
        description="Measure Plait beside its peers.")
    parser.add_argument("--build", type=Path, metavar="DIR",
                        help="a meson build folder with -Dbench=true "
                             "(default: build/bench, built first)")
    parser.add_argument("--quick", action="store_true",
                        help="one repeat, 200,000 tasks: a look, no figure")
    parser.add_argument("--repeats", type=int, help="default 5")
    parser.add_argument("--tasks", type=int, help="default 1,000,000")
    parser.add_argument("--only", type=comma_list(PARTS), default=PARTS,
                        metavar="PARTS", help=",".join(PARTS))
    parser.add_argument("--graphs", type=comma_list(GRAPHS), default=GRAPHS,
                        help=",".join(GRAPHS))
    parser.add_argument("--systems", type=comma_list(SYSTEMS),
                        default=SYSTEMS, help=",".join(SYSTEMS))
    parser.add_argument("--realtime", action="store_true",
                        help="measured programs go before all others (root, "
                             "Linux): for a machine that isn't idle")
    parser.add_argument("--into", type=Path, metavar="FILE",
                        help="put what is printed between the marks in FILE, "
                             "as in docs/guide/performance.md")
    parser.add_argument("--json", type=Path, metavar="FILE",
                        help="write every number there")
    settings = parser.parse_args()
    settings.repeats = settings.repeats or (1 if settings.quick else 5)
    settings.tasks = settings.tasks or (200_000 if settings.quick
                                        else 1_000_000)
    return settings


def put_into(file, text):
    before, _, rest = file.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    if not after:
        sys.exit(f"{file}: the marks are missing")
    file.write_text(f"{before}{MARKS[0]}\n```text\n{text.strip()}\n```\n"
                    f"{MARKS[1]}{after}")


def main():
    settings = arguments()
    folder = settings.build / "bench" if settings.build else build()
    programs = Programs(folder, settings.systems, settings.realtime)
    if not programs.names:
        sys.exit(f"no bench programs in {folder}")
    measures = {"graphs": measure_graphs, "metg": measure_metg,
                "speedup": measure_speedup, "scale": measure_scale,
                "cholesky": measure_cholesky}
    result = {"machine": machine(), "missing": programs.missing}
    result["settings"] = {"tasks": settings.tasks,
                          "repeats": settings.repeats,
                          "realtime": settings.realtime}
    printed = [tables.head(result)]
    print(printed[0])
    for part in settings.only:
        result[part] = measures[part](programs, settings)
        printed.append(tables.PARTS[part](result[part]))
        print(printed[-1], flush=True)
    if "graphs" in result:
        result["ratios"] = tables.ratios(result["graphs"])
    if "metg" in result:
        result["metg_ns"] = tables.metg(result["metg"])
    if settings.json:
        settings.json.write_text(json.dumps(result, indent=1) + "\n")
    if settings.into:
        put_into(settings.into, "\n".join(printed))


if __name__ == "__main__":
    main()
