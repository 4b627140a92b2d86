# SPDX-License-Identifier: BSD-3-Clause
"""Random graphs by family, each a list of the inputs of each task.

Inputs have lower numbers than what uses them. A family gets a random.Random
and draws its sizes from it, so a seed gives the same graph everywhere.
"""


class Builder:
    """Appends tasks; calling it gives the new task's number."""

    def __init__(self):
        self.inputs = []

    def __call__(self, *inputs):
        self.inputs.append(sorted(set(inputs)))
        return len(self.inputs) - 1


def layered(r):
    """Layers; inputs drawn from the layer before."""
    task, width = Builder(), r.randint(3, 30)
    most, depth = r.randint(1, 4), r.randint(2, 20)
    layer = [task() for _ in range(width)]
    for _ in range(depth):
        layer = [task(*[r.choice(layer) for _ in range(r.randint(1, most))])
                 for _ in range(width)]
    if r.random() < 0.5:
        task(*layer)
    return task.inputs


def recent(r, n, window, most):
    task = Builder()
    for t in range(n):
        task(*[r.randrange(max(0, t - window), t)
               for _ in range(min(t, r.randint(0, most)))])
    return task.inputs


def window(r):
    """Inputs drawn from the last few tasks."""
    return recent(r, r.randint(30, 600), r.choice([4, 16, 64]), r.randint(1, 4))


def uniform(r):
    """Inputs drawn from all earlier tasks."""
    n = r.randint(30, 400)
    return recent(r, n, n, r.randint(1, 3))


def tree(r):
    """A reduction, level by level."""
    task, arity = Builder(), r.randint(2, 5)
    level = [task() for _ in range(r.randint(8, 300))]
    if r.random() < 0.5:
        r.shuffle(level)
    while len(level) > 1:
        level = [task(*level[i:i + arity])
                 for i in range(0, len(level), arity)]
    return task.inputs


def random_tree(r):
    """Each task takes some results that nobody took."""
    task = Builder()
    free = [task() for _ in range(r.randint(8, 300))]
    while len(free) > 1:
        k = min(len(free), r.randint(1, 3))
        free.append(task(*[free.pop(r.randrange(len(free)))
                           for _ in range(k)]))
    return task.inputs


def fork_join(r):
    """Series and parallel parts, nested."""
    task = Builder()

    def part(inputs, depth):
        if depth == 0:
            return task(*inputs)
        if r.random() < 0.5:
            return part([part(inputs, depth - 1)], depth - 1)
        source = task(*inputs)
        return task(*[part([source], depth - 1)
                      for _ in range(r.randint(2, 4))])

    part([], r.randint(2, 5))
    return task.inputs


def shuffle(r):
    """Each partition is split, and merged with the same part of all others."""
    task, n_in, n_out = Builder(), r.randint(2, 12), r.randint(2, 12)
    splits = [task(task()) for _ in range(n_in)]
    parts = [[task(split) for _ in range(n_out)] for split in splits]
    for j in range(n_out):
        task(task(*[part[j] for part in parts]))
    return task.inputs


def wavefront(r):
    """A grid; each cell needs the ones above and left."""
    task, height, width = Builder(), r.randint(3, 20), r.randint(3, 20)
    cell = {}
    for i in range(height):
        for j in range(width):
            cell[i, j] = task(*[cell[p] for p in ((i - 1, j), (i, j - 1))
                                if p in cell])
    return task.inputs


def stencil(r):
    """Steps in which each cell needs its neighbours of the step before."""
    task, width = Builder(), r.randint(4, 40)
    row = [task() for _ in range(width)]
    for _ in range(r.randint(2, 12)):
        row = [task(*row[max(0, i - 1):i + 2]) for i in range(width)]
    if r.random() < 0.5:
        task(*row)
    return task.inputs


def cholesky(r):
    """The tasks of a tiled Cholesky factorisation."""
    task, n = Builder(), r.randint(3, 9)
    tile = {(i, j): task() for i in range(n) for j in range(i + 1)}
    for k in range(n):
        tile[k, k] = task(tile[k, k])
        for i in range(k + 1, n):
            tile[i, k] = task(tile[i, k], tile[k, k])
        for i in range(k + 1, n):
            for j in range(k + 1, i + 1):
                tile[i, j] = task(tile[i, j], tile[i, k], tile[j, k])
    return task.inputs


def butterfly(r):
    """A fast Fourier transform."""
    task, levels = Builder(), r.randint(2, 6)
    row = [task() for _ in range(1 << levels)]
    for level in range(levels):
        row = [task(row[i], row[i ^ (1 << level)]) for i in range(len(row))]
    return task.inputs


def anomaly(r):
    """Each value less the mean of its group."""
    task, n, groups = Builder(), r.randint(6, 80), r.randint(2, 8)
    values = [task() for _ in range(n)]
    means = []
    for group in range(groups):
        level = [task(v) for v in values[group::groups]] or [task()]
        while len(level) > 1:
            level = [task(*level[i:i + 3]) for i in range(0, len(level), 3)]
        means.append(task(*level))
    anomalies = [task(v, means[i % groups]) for i, v in enumerate(values)]
    if r.random() < 0.5:
        task(*anomalies)
    return task.inputs


def product(r):
    """A product of matrices by blocks."""
    task, n = Builder(), r.randint(2, 7)
    a = [[task() for _ in range(n)] for _ in range(n)]
    b = [[task() for _ in range(n)] for _ in range(n)]
    for i in range(n):
        for j in range(n):
            task(*[task(a[i][k], b[k][j]) for k in range(n)])
    return task.inputs


def rechunk(r):
    """Chunks of one size made of chunks of another."""
    task, n, m = Builder(), r.randint(3, 40), r.randint(3, 40)
    chunks = [task() for _ in range(n)]
    for out in range(m):
        first, end = out * n // m, -(-(out + 1) * n // m)
        task(*[task(chunks[i]) for i in range(first, end)])
    return task.inputs


def columns(r):
    """Files are loaded and cleaned; each column is merged over all files."""
    task, n_columns = Builder(), r.randint(2, 10)
    files = []
    for _ in range(r.randint(3, 20)):
        clean = task(task())
        files.append([task(clean) for _ in range(n_columns)])
    for column in range(n_columns):
        task(*[parts[column] for parts in files])
    return task.inputs


def joins(r):
    """Tasks over some of the last results, with new sources now and then."""
    task, n = Builder(), r.randint(5, 60)
    pool = [task() for _ in range(n)]
    for _ in range(3 * n):
        pool.append(task(*[r.choice(pool[-n:])
                           for _ in range(r.randint(1, 3))]))
        if r.random() < 0.1:
            pool.append(task())
    return task.inputs


FAMILIES = [layered, window, uniform, tree, random_tree, fork_join, shuffle,
            wavefront, stencil, cholesky, butterfly, anomaly, product, rechunk,
            columns, joins]
