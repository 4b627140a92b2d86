# SPDX-License-Identifier: BSD-3-Clause
"""The tables of run.py: text, made of its merged rows."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from tables import ratio, table  # noqa: E402

PEERS = ["plait-sync", "plain", "partials", "futures", "dask", "dask-sync",
         "dask-on-plait"]


def head(result):
    machine, settings = result["machine"], result["settings"]
    before = ("the measured programs before all others"
              if settings["realtime"] else "no priority")
    return (f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['system']}, "
            f"{machine['date']}\n"
            f"CPython {machine['python']}, Dask {machine['dask']}, "
            f"{settings['workers']} workers, medians of "
            f"{settings['repeats']} repeat(s), {before}, load "
            f"{machine['load']} at the beginning")


def by_system(rows):
    """(shape, tasks) -> system -> row, of what was measured."""
    found = {}
    for row in rows:
        if "failed" not in row:
            place = found.setdefault((row["what"], row["tasks"]), {})
            place[row["system"]] = row
    return found


def microseconds(row, mode, key="whole_s"):
    return row[mode][key] / row["tasks"] * 1e6 if row and row[mode] else None


def ratios(rows):
    """One dict per graph: Plait's figures, and how many times as much each
    of the others takes, to build and to compute."""
    out = []
    for (shape, tasks), systems in by_system(rows).items():
        plait = systems.get("plait")
        if plait is None:
            continue
        line = {"shape": shape, "tasks": tasks,
                "bytes": plait["peak_bytes"] / tasks}
        for mode in ("gc", "no_gc"):
            line[mode] = {
                "build_us": microseconds(plait, mode, "build_s"),
                "compute_us": microseconds(plait, mode, "compute_s"),
                "whole_us": microseconds(plait, mode),
                "times": {name: ratio(microseconds(systems.get(name), mode),
                                      microseconds(plait, mode))
                          for name in PEERS}}
        line["bytes_times"] = {
            name: ratio(systems[name]["peak_bytes"], plait["peak_bytes"])
            for name in PEERS if name in systems}
        out.append(line)
    return out


def graphs_table(rows):
    found = ratios(rows)
    names = [name for name in PEERS
             if any(line["gc"]["times"][name] for line in found)]
    lines = []
    for line in found:
        cells = [line["shape"], f"{line['tasks']:,}"]
        for mode in ("gc", "no_gc"):
            cells += [line[mode]["build_us"] if mode == "gc" else None,
                      line[mode]["whole_us"]]
            cells += [line[mode]["times"][name] for name in names]
        del cells[2 + 2 + len(names)]  # build, without the collector
        cells += [line["bytes"]] + [line["bytes_times"].get(name)
                                    for name in ("futures", "dask")]
        lines.append(cells)
    columns = (["no-op tasks", "", "build", "us a task"] + names
               + ["gc off: us"] + names + ["bytes", "futures", "dask"])
    return table("Plait: microseconds a task, built and computed, and bytes a "
                 "task at the peak;\nthe others: how many times as much",
                 columns, lines) + failures(rows)


def work_table(rows):
    lines = []
    for row in rows:
        if "failed" not in row:
            seconds = row["gc"]["whole_s"]
            lines.append([row["what"], row["system"], row["workers"],
                          f"{seconds * 1e3:.0f} ms", better(rows, row)])
    return table("400 sleeps of 10 ms on 8 workers (ideal: 500 ms), and 32 "
                 "sorts by numpy", ["", "", "workers", "time", ""],
                 lines) + failures(rows)


def better(rows, row):
    if row["what"] == "sleep":
        ideal = row["tasks"] / row["workers"] * 0.01
        return f"{ideal / row['gc']['whole_s']:.0%} of the ideal"
    single = [one for one in rows if one["system"] == row["system"]
              and one["what"] == "numpy" and one["workers"] == 1]
    if row["workers"] == 1 or not single or "failed" in single[0]:
        return ""
    speed = single[0]["gc"]["whole_s"] / row["gc"]["whole_s"]
    return f"{speed:.2f} times as fast as on one"


def failures(rows):
    lines = [f"  {row['system']}, {row['what']}, {row['tasks']:,} tasks: "
             f"{row['failed']}" for row in rows if "failed" in row]
    return "\n".join(["", "not measured:"] + lines) if lines else ""
