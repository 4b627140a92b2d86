# SPDX-License-Identifier: BSD-3-Clause
"""The tables of run.py: text, made of its merged rows."""

import math

OURS = {"plait", "plait-sync", "walk"}
HEAVY = {"starpu"}        # has a goal of its own, and never is the best


def head(result):
    machine = result["machine"]
    lines = [f"{machine['cpu']}, {machine['cpus']} CPUs, {machine['system']}, "
             f"{machine['date']}", how(result)]
    if result["missing"]:
        lines.append("not built here: " + ", ".join(result["missing"]))
    return "\n".join(lines)


def how(result):
    settings = result["settings"]
    before = ("the measured programs before all others"
              if settings["realtime"] else "no priority")
    return (f"{settings['tasks']:,} tasks, medians of {settings['repeats']} "
            f"repeat(s), {before}, load {result['machine']['load']} at the "
            "beginning")


def table(title, columns, rows):
    cells = [columns] + [[text(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    lines = ["", title]
    for row in cells:
        lines.append("  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))).rstrip())
    return "\n".join(lines)


def text(cell):
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return f"{cell:.2f}" if cell < 10 else f"{cell:.0f}"
    return str(cell)


def good(rows, **wanted):
    return [row for row in rows if "failed" not in row
            and all(row[key] == value for key, value in wanted.items())]


def one(rows, **wanted):
    found = good(rows, **wanted)
    return found[0] if found else None


def per_task(row, key):
    if row is None or row.get(key) is None:
        return None
    return row[key] / row["tasks"]


def ratio(a, b):
    return None if a is None or not b else a / b


def best_peer(rows, key, **wanted):
    """(nanoseconds a task, system) of the quickest peer."""
    found = [(per_task(row, key), row["system"]) for row in good(rows, **wanted)
             if row["system"] not in OURS | HEAVY and row.get(key) is not None]
    return min(found) if found else (None, None)


def failures(rows):
    lines = [f"  {row['system']}, {row['graph']}, {row['workers']} worker(s): "
             f"{row['failed']}" for row in rows if "failed" in row]
    return "\n".join(["", "failed:"] + lines) if lines else ""


def ratios(rows):
    """One dict per graph and number of workers: Plait against the others."""
    out = []
    for graph in dict.fromkeys(row["graph"] for row in rows):
        for workers in (1, 2):
            wanted = dict(graph=graph, workers=workers)
            plait = one(rows, system="plait", **wanted)
            if plait is None:
                continue
            starpu = one(rows, system="starpu", **wanted)
            walk = one(rows, system="walk", graph=graph)
            single = one(rows, system="plait", graph=graph, workers=1)
            whole, whole_peer = best_peer(rows, "whole_ns", **wanted)
            again, again_peer = best_peer(rows, "again_ns", **wanted)
            out.append({
                "graph": graph, "workers": workers,
                "whole_ns": per_task(plait, "whole_ns"),
                "whole_peer": whole_peer, "whole_peer_ns": whole,
                "whole_ratio": ratio(per_task(plait, "whole_ns"), whole),
                "starpu_ratio": ratio(per_task(plait, "whole_ns"),
                                      per_task(starpu, "whole_ns")),
                "again_ns": per_task(plait, "again_ns"),
                "again_peer": again_peer, "again_peer_ns": again,
                "again_ratio": ratio(per_task(plait, "again_ns"), again),
                "walk_ratio": ratio(per_task(plait, "again_ns"),
                                    per_task(walk, "again_ns")),
                "one_worker_ratio": ratio(per_task(plait, "again_ns"),
                                          per_task(single, "again_ns")),
                "bytes": per_task(plait, "bytes"),
            })
    return out


def graphs_tables(rows):
    parts = []
    columns = ["ns a task", "workers", "build", "plan", "first run", "in all",
               "again", "free", "bytes"]
    for graph in dict.fromkeys(row["graph"] for row in rows):
        lines = [[row["system"], row["workers"]]
                 + [per_task(row, key) for key in
                    ("build_ns", "plan_ns", "first_ns", "whole_ns", "again_ns",
                     "discard_ns", "bytes")]
                 for row in good(rows, graph=graph)]
        if lines:
            edges = max(row["edges"] / row["tasks"]
                        for row in good(rows, graph=graph))
            parts.append(table(f"{graph}: no-op tasks, {edges:.1f} inputs each",
                               columns, lines))
    lines = [[r["graph"], r["workers"], r["whole_ns"], r["whole_peer"],
              r["whole_ratio"], r["starpu_ratio"], r["again_ns"],
              r["again_peer"], r["again_ratio"], r["walk_ratio"],
              r["one_worker_ratio"], r["bytes"]] for r in ratios(rows)]
    parts.append(table(
        "Plait against the best peer (ratios of ns a task; less is better)",
        ["graph", "workers", "in all", "best peer", "ratio", "of StarPU",
         "again", "best peer", "ratio", "of the walk", "of 1 worker", "bytes"],
        lines))
    return "\n".join(parts) + failures(rows)


def efficiency(row, key):
    return row["serial_ns"] / (row["workers"] * row[key])


def crossing(points):
    """The task granularity where the efficiency passes one half."""
    points = sorted(points)
    for (low, before), (high, after) in zip(points, points[1:]):
        if before < 0.5 <= after:
            share = (0.5 - before) / (after - before)
            return math.exp(math.log(low) + share * math.log(high / low))
    return None


def metg(rows):
    """System -> METG in ns, of graphs made and run, and of plans run again."""
    out = {}
    for system in dict.fromkeys(row["system"] for row in rows):
        mine = good(rows, system=system)
        out[system] = {key: crossing(
            [(row["workers"] * row[key] / row["tasks"], efficiency(row, key))
             for row in mine]) for key in ("whole_ns", "again_ns")}
    return out


def metg_table(rows):
    grains = sorted({row["spin_ns"] for row in rows})
    found = metg(rows)
    parts = []
    for key, title in (("whole_ns", "made and run"), ("again_ns", "run again")):
        lines = []
        for system in found:
            by_grain = [one(rows, system=system, spin_ns=g) for g in grains]
            lines.append([system, found[system][key]]
                         + [f"{efficiency(row, key):.0%}" if row else None
                            for row in by_grain])
        parts.append(table(
            f"Stencil on two workers, {title}: METG (ns of worker time a task "
            "at 50 %), and efficiency by ns of work in a task",
            ["system", "METG"] + [str(g) for g in grains], lines))
    return "\n".join(parts) + failures(rows)


def speedup_table(rows):
    grains = sorted({row["spin_ns"] for row in rows})
    lines = []
    for graph in dict.fromkeys(row["graph"] for row in rows):
        for system in dict.fromkeys(row["system"] for row in rows):
            line = [f"{system}, {graph}"]
            for grain in grains:
                wanted = dict(system=system, graph=graph, spin_ns=grain)
                single, double = (one(rows, workers=n, **wanted)
                                  for n in (1, 2))
                line.append(single["again_ns"] / double["again_ns"]
                            if single and double else None)
            lines.append(line)
    return table("Two workers against one, by ns of work in a task",
                 ["speed-up"] + [str(g) for g in grains],
                 lines) + failures(rows)


def scale_table(rows):
    workers = sorted({row["workers"] for row in rows})
    lines = []
    for system in dict.fromkeys(row["system"] for row in rows):
        found = [one(rows, system=system, workers=n) for n in workers]
        # The one task after the others sleeps too: hence the one more.
        lines.append([system] + [
            f"{row['again_ns'] / 1e6:.0f} ms, "
            f"{ideal_sleep_ns(row) / row['again_ns']:.0%}"
            if row else None for row in found])
    return table("Sleeping tasks, 8 of 20 ms a worker: time, share of the "
                 "ideal, by workers", ["system"] + [str(n) for n in workers],
                 lines) + failures(rows)


def ideal_sleep_ns(row):
    rounds = (row["tasks"] - 1) // row["workers"] + 1
    return rounds * row["sleep_ns"]


def cholesky_table(rows):
    tiles = sorted({row["tile"] for row in rows})
    lines = []
    for system in dict.fromkeys(row["system"] for row in rows):
        for workers in (1, 2):
            found = [one(rows, system=system, workers=workers, tile=tile)
                     for tile in tiles]
            if any(found):
                lines.append([system, workers] + [
                    f"{row['whole_ns'] / 1e6:.1f}" if row else None
                    for row in found])
    serial = [good(rows, tile=tile) for tile in tiles]
    lines.append(["kernels alone", 1] + [
        f"{min(row['serial_ns'] for row in group) / 1e6:.1f}" if group
        else None for group in serial])
    return table("Cholesky of 1,024 x 1,024 doubles, graph made and run: ms, "
                 "by tile size", ["system", "workers"]
                 + [str(tile) for tile in tiles], lines) + failures(rows)


PARTS = {"graphs": graphs_tables, "metg": metg_table,
         "speedup": speedup_table, "scale": scale_table,
         "cholesky": cholesky_table}
