# SPDX-License-Identifier: BSD-3-Clause
"""Going through the tasks that others need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from plait import _core

__all__ = ["walk"]


def walk(targets: Iterable[_core.Delayed]) -> Iterator[_core.Delayed]:
    """Each task that the targets need, and they themselves, once.

    Inputs come before what uses them, in the order in which one worker that
    goes for the targets one after another would run them. No key is made.

    Parameters
    ----------
    targets : iterable of Delayed
        Where to begin.

    Yields
    ------
    Delayed
    """
    done: set[int] = set()
    for target in targets:
        yield from _below(target, done)


def _below(
    target: _core.Delayed, done: set[int]
) -> Iterator[_core.Delayed]:
    # A pair: a task, and what is left of its inputs. No recursion: chains are
    # as long as they like.
    if id(target) in done:
        return
    done.add(id(target))
    stack = [(target, iter(_core.dependencies(target)))]
    while stack:
        task, inputs = stack[-1]
        for one in inputs:
            if id(one) not in done:
                done.add(id(one))
                stack.append((one, iter(_core.dependencies(one))))
                break
        else:
            stack.pop()
            yield task
