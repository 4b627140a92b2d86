# SPDX-License-Identifier: BSD-3-Clause
"""Task graphs with the standard library alone: graphlib says what is ready,
concurrent.futures runs it."""

from concurrent.futures import ThreadPoolExecutor
from graphlib import TopologicalSorter
from queue import SimpleQueue


class Node:
    """A call whose arguments may be other calls, also in lists."""

    __slots__ = ("function", "args", "kwargs")

    def __init__(self, function, args, kwargs):
        self.function = function
        self.args = args
        self.kwargs = kwargs


def lazy(function):
    return lambda *args, **kwargs: Node(function, args, kwargs)


def inputs(node):
    for arg in (*node.args, *node.kwargs.values()):
        if isinstance(arg, Node):
            yield arg
        elif isinstance(arg, list):
            yield from (one for one in arg if isinstance(one, Node))


def graph(targets):
    """Node -> its inputs, of all that the targets need."""
    found, todo = {}, list(targets)
    while todo:
        node = todo.pop()
        if node not in found:
            found[node] = list(inputs(node))
            todo += found[node]
    return found


def value(arg, results):
    if isinstance(arg, Node):
        return results[arg]
    if isinstance(arg, list):
        return [value(one, results) for one in arg]
    return arg


def submit(pool, node, results, done):
    args = [value(arg, results) for arg in node.args]
    kwargs = {name: value(arg, results)
              for name, arg in node.kwargs.items()}
    future = pool.submit(node.function, *args, **kwargs)
    future.add_done_callback(lambda ended: done.put((node, ended)))


def compute(targets, workers):
    order = TopologicalSorter(graph(targets))
    order.prepare()
    results, done = {}, SimpleQueue()
    with ThreadPoolExecutor(workers) as pool:
        while order.is_active():
            for node in order.get_ready():
                submit(pool, node, results, done)
            node, future = done.get()
            results[node] = future.result()
            order.done(node)
    return [results[target] for target in targets]
