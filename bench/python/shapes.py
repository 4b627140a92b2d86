# SPDX-License-Identifier: BSD-3-Clause
"""The graphs that are measured, as anybody would write them.

Each function gets `lazy`, which makes a function lazy, and about how many
tasks, and returns the targets. With a `lazy` that returns the function itself
it is a plain loop.
"""


def same(x):
    return x


def first(x, y):
    return x


def mix(x, y, *, scale, offset):
    return x


def load(path):
    return path


def clean(table):
    return table


def analyze(table):
    return table


def count(results):
    return len(results)


def fanin(lazy, n):
    """n calls, and one that takes them all."""
    one, end = lazy(same), lazy(count)
    return [end([one(i) for i in range(n)])]


def targets(lazy, n):
    """n calls, each of them wanted."""
    one = lazy(same)
    return [one(i) for i in range(n)]


def chain(lazy, n):
    one = lazy(same)
    last = one(0)
    for _ in range(n - 1):
        last = one(last)
    return [last]


def tree(lazy, n):
    one, two = lazy(same), lazy(first)
    row = [one(i) for i in range((n + 1) // 2)]
    while len(row) > 1:
        odd = row[len(row) // 2 * 2:]
        row = [two(x, y) for x, y in zip(row[::2], row[1::2])] + odd
    return row


def pipeline(lazy, n):
    """load, clean, analyze for each file, and one summary."""
    loads, cleans, analyzes = lazy(load), lazy(clean), lazy(analyze)
    results = []
    for path in range(n // 3):
        table = loads(path)
        cleaned = cleans(table)
        results.append(analyzes(cleaned))
    return [lazy(count)(results)]


def mixed(lazy, n):
    """Calls of four arguments: two results, two of them by keyword."""
    one, four = lazy(same), lazy(mix)
    x, y = one(0), one(1)
    return [lazy(count)([four(i, x, scale=2.0, offset=y) for i in range(n)])]


SHAPES = {shape.__name__: shape
          for shape in (fanin, targets, chain, tree, pipeline, mixed)}
