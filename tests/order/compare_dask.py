# SPDX-License-Identifier: BSD-3-Clause
"""Compares the order of tasks with that of dask.order.

Runs Dask's own tests of its order, as they are installed, and takes every
graph that they order; adds random families with fixed seeds. Both orders are
checked and scored here by one sweep: a result is alive from its completion
until its last use has completed, a target until the end. Fails when

 - on a graph of Dask's tests more results are alive at the peak than with the
   best of the orders that Dask gave for it, or
 - over the random graphs the geometric mean of the ratio is above 1,

each counted with and without the targets. The same graphs with their tasks
created in a random order are shown besides.

    python3 tests/order/compare_dask.py [--cli PATH] [--golden FILE]

--cli: order_cli, if built; else it is built with cc. --golden: writes the
graphs and Dask's peaks as the table that tests/unit/graph/test_order_golden.c
compares with where no Dask is. Dask, xarray and pytest are taken from .venv
(tools/python-check.txt), or from the Python that runs this; without them the
exit status is 77.
"""
import argparse
import heapq
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = 25  # random graphs per family
GOLDEN_SEEDS = 1
GOLDEN_TASKS = 1200  # of a graph of Dask's tests, at most


class Case:
    """A graph, and the places that Dask gave its tasks (one list or more)."""

    def __init__(self, name, inputs, dask_places):
        self.name, self.inputs, self.dask = name, inputs, dask_places
        self.ours = None

    def peaks(self, with_targets):
        """Our peak and the best of Dask's."""
        ours = peak(self.inputs, self.ours, with_targets)
        return ours, min(peak(self.inputs, places, with_targets)
                         for places in self.dask)


def peak(inputs, places, with_targets=True):
    """The most results alive at a time; checks the order."""
    uses = [0] * len(inputs)
    for needed in inputs:
        for i in needed:
            uses[i] += 1
    is_target = [u == 0 for u in uses]
    sequence = sorted(range(len(inputs)), key=places.__getitem__)
    live = most = 0
    done = [False] * len(inputs)
    for t in sequence:
        assert all(done[i] for i in inputs[t]), "no topological order"
        done[t] = True
        live += with_targets or not is_target[t]
        most = max(most, live)
        for i in inputs[t]:
            uses[i] -= 1
            live -= uses[i] == 0
    return most


def topological(inputs, rank):
    """The tasks, inputs first, else by falling rank."""
    users = [[] for _ in inputs]
    missing = [len(needed) for needed in inputs]
    for t, needed in enumerate(inputs):
        for i in needed:
            users[i].append(t)
    ready = [(rank(t), t) for t in range(len(inputs)) if not missing[t]]
    heapq.heapify(ready)
    sequence = []
    while ready:
        t = heapq.heappop(ready)[1]
        sequence.append(t)
        for user in users[t]:
            missing[user] -= 1
            if not missing[user]:
                heapq.heappush(ready, (rank(user), user))
    return sequence


def renumbered(case, rank):
    """The same graph, its tasks created in another order."""
    sequence = topological(case.inputs, rank)
    new = {t: i for i, t in enumerate(sequence)}
    return Case(case.name,
                [sorted(new[i] for i in case.inputs[t]) for t in sequence],
                [[places[t] for t in sequence] for places in case.dask])


def dask_test_cases():
    """Each different graph that dask/tests/test_order.py orders."""
    import dask.order
    import pytest
    from dask._task_spec import DependenciesMapping

    found, order, test = {}, dask.order.order, [""]

    def recording(dsk, dependencies=None, **options):
        result = order(dsk, dependencies, **options)
        keys = list(dsk)
        number = {key: i for i, key in enumerate(keys)}
        needs = DependenciesMapping(dict(dsk))
        inputs = tuple(tuple(sorted(number[d] for d in needs[key]
                                    if d in number)) for key in keys)
        places = [result[key] for key in keys]
        if options.get("return_stats"):
            places = [place.priority for place in places]
        if keys:
            found.setdefault(inputs, (test[0], []))[1].append(places)
        return result

    class Name:
        @staticmethod
        def pytest_runtest_setup(item):
            test[0] = item.name

    dask.order.order = recording
    status = pytest.main(["-q", "-p", "no:cacheprovider", "--pyargs",
                          "dask.tests.test_order"], plugins=[Name])
    dask.order.order = order
    if not found:
        sys.exit(f"no graphs: pytest ended with {status}")
    if status != 0:
        print("some of Dask's own tests fail; their graphs are compared")
    cases = [renumbered(Case(name, inputs, places), lambda t: t)
             for inputs, (name, places) in found.items()]
    return sorted(cases, key=lambda case: (len(case.inputs), case.name))


def family_cases():
    import dask.order
    from dask._task_spec import Task, TaskRef
    from families import FAMILIES

    cases = []
    for family in FAMILIES:
        for seed in range(SEEDS):
            inputs = family(random.Random(f"{family.__name__} {seed}"))
            keys = [f"task-{t:05}" for t in range(len(inputs))]
            graph = {key: Task(key, print, *[TaskRef(keys[i]) for i in needed])
                     for key, needed in zip(keys, inputs)}
            result = dask.order.order(graph)
            cases.append(Case(f"{family.__name__} {seed}", inputs,
                              [[result[key] for key in keys]]))
    return cases


def built_cli(folder):
    sources = [*ROOT.glob("src/graph/order*.c"), ROOT / "src/base/alloc.c",
               ROOT / "src/platform/clock.c", ROOT / "tests/order/order_cli.c"]
    path = pathlib.Path(folder) / "order_cli"
    subprocess.run([os.environ.get("CC", "cc"), "-std=c11", "-O2",
                    "-D_GNU_SOURCE", f"-I{ROOT}/include", f"-I{ROOT}/src",
                    *sources, "-o", path], check=True)
    return path


def order_all(cli, cases):
    text = []
    for case in cases:
        text.append(f"graph - {len(case.inputs)}")
        text += [f"- {len(needed)} {' '.join(map(str, needed))}"
                 for needed in case.inputs]
    lines = subprocess.run([cli, "order"], input="\n".join(text) + "\n",
                           capture_output=True, text=True,
                           check=True).stdout.splitlines()
    assert len(lines) == 2 * len(cases)
    for case, score, order in zip(cases, lines[::2], lines[1::2]):
        case.ours = [0] * len(case.inputs)
        for place, t in enumerate(map(int, order.split())):
            case.ours[t] = place
        assert int(score.split()[2]) == peak(case.inputs, case.ours), \
            "order_cli's sweep and this one differ"


def show(title, cases, group=None):
    """Prints ratios; gives the misses and the geometric means."""
    misses, means = [], []
    for with_targets in (True, False):
        logs, worst = {}, (0, None)
        for case in cases:
            ours, dask = case.peaks(with_targets)
            # Where only targets are alive, both have 0.
            ratio = (ours or 1) / (dask or 1)
            for key in {group(case) if group else "all", "all"}:
                logs.setdefault(key, []).append(math.log(ratio))
            worst = max(worst, (ratio, f"{case.name}: {ours} beside {dask}"))
            if ours > dask:
                misses.append(f"{case.name}: {ours} beside {dask}")
        means.append(math.exp(sum(logs["all"]) / len(logs["all"])))
        print(f"{title}, {'with' if with_targets else 'without'} targets: "
              f"{len(cases)} graphs, ratio to Dask {means[-1]:.3f}, "
              f"worst {worst[0]:.2f} ({worst[1]})")
        for key in sorted(logs):
            if key != "all":
                print(f"    {key:12}"
                      f"{math.exp(sum(logs[key]) / len(logs[key])):6.3f}")
    return misses, means


def write_golden(path, cases, n_dask):
    """Per graph: tasks, Dask's peak with and without targets, then per task the
    number of its inputs and how far back each one lies."""
    import dask
    lines = [
        "/* SPDX-License-Identifier: BSD-3-Clause */",
        "/*",
        " * order_golden.h: graphs, and how many results are alive at the peak",
        f" * in the order that Dask {dask.__version__} gives. Written by",
        " * tests/order/compare_dask.py --golden.",
        " */",
        "#ifndef PL_ORDER_GOLDEN_H",
        "#define PL_ORDER_GOLDEN_H",
        "",
        "#include <stdint.h>",
        "",
        "/* The first ones are those of Dask's tests. */",
        f"#define GOLDEN_DASK {n_dask}",
        f"#define GOLDEN_GRAPHS {len(cases)}",
        "",
        "/* clang-format off */",
        "static const uint16_t golden[] = {"]
    for case in cases:
        words = [len(case.inputs), *(case.peaks(t)[1] for t in (True, False))]
        for t, needed in enumerate(case.inputs):
            words += [len(needed), *(t - i for i in needed)]
        lines.append(f"/* {case.name} */")
        line = ""
        for word in words:
            if len(line) + len(f"{word},") > 80:
                lines.append(line)
                line = ""
            line += f"{word},"
        lines.append(line)
    lines += ["};", "/* clang-format on */", "", "#endif", ""]
    pathlib.Path(path).write_text("\n".join(lines))


def python_with_dask():
    for python in (ROOT / ".venv/bin/python", sys.executable):
        if python and os.path.exists(python) and subprocess.run(
                [python, "-c", "import dask._task_spec, pytest"],
                stderr=subprocess.DEVNULL, check=False).returncode == 0:
            return str(python)
    print("neither .venv nor this Python has Dask and pytest")
    sys.exit(77)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli")
    parser.add_argument("--golden")
    arguments = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Dask's order depends on the order of sets.
        os.environ["PYTHONHASHSEED"] = "0"
        python = python_with_dask()
        os.execv(python, [python, *sys.argv])
    theirs, families = dask_test_cases(), family_cases()
    dice = random.Random(1)
    mixed = [renumbered(case, lambda t, key=[dice.random() for _ in
                                             case.inputs]: key[t])
             for case in [*theirs, *families]]
    with tempfile.TemporaryDirectory() as folder:
        cli = arguments.cli or built_cli(folder)
        order_all(cli, [*theirs, *families, *mixed])

    misses, _ = show("Dask's tests", theirs)
    _, means = show("random families", families,
                    lambda case: case.name.split()[0])
    show("Dask's tests, created in random order", mixed[:len(theirs)])
    show("random families, created in random order", mixed[len(theirs):])
    if arguments.golden:
        small = [c for c in theirs if len(c.inputs) <= GOLDEN_TASKS]
        write_golden(arguments.golden,
                     small + [c for c in families
                              if int(c.name.split()[1]) < GOLDEN_SEEDS],
                     len(small))
    for miss in misses:
        print("MISSED", miss)
    for mean in means:
        if mean > 1:
            print(f"MISSED: geometric mean {mean:.3f}")
    return 1 if misses or max(means) > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
