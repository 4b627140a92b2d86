# SPDX-License-Identifier: BSD-3-Clause
"""The graphs of shapes.py as objects of functools.partial: as many are made,
with the arguments that are known, and then called in order. The least that
something lazy can cost in Python."""

from functools import partial

import shapes


def make_fanin(n):
    return [partial(shapes.same, i) for i in range(n)]


def call_fanin(parts):
    return shapes.count([part() for part in parts])


def call_targets(parts):
    return [part() for part in parts]


def make_chain(n):
    return [partial(shapes.same) for _ in range(n)]


def call_chain(parts):
    last = 0
    for part in parts:
        last = part(last)
    return last


def make_tree(n):
    leaves = (n + 1) // 2
    return ([partial(shapes.same, i) for i in range(leaves)],
            [partial(shapes.first) for _ in range(leaves - 1)])


def call_tree(parts):
    row = [leaf() for leaf in parts[0]]
    inner = iter(parts[1])
    while len(row) > 1:
        odd = row[len(row) // 2 * 2:]
        row = [next(inner)(x, y) for x, y in zip(row[::2], row[1::2])] + odd
    return row[0]


def make_pipeline(n):
    return [(partial(shapes.load, path), partial(shapes.clean),
             partial(shapes.analyze)) for path in range(n // 3)]


def call_pipeline(parts):
    return shapes.count([analyze(clean(load()))
                         for load, clean, analyze in parts])


def make_mixed(n):
    return [partial(shapes.mix, i, scale=2.0) for i in range(n)]


def call_mixed(parts):
    x, y = 0, 1
    return shapes.count([part(x, offset=y) for part in parts])


PARTIALS = {
    "fanin": (make_fanin, call_fanin),
    "targets": (make_fanin, call_targets),
    "chain": (make_chain, call_chain),
    "tree": (make_tree, call_tree),
    "pipeline": (make_pipeline, call_pipeline),
    "mixed": (make_mixed, call_mixed),
}
