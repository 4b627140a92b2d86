# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks that note what they see, and what they watch."""

import operator

from plait import delayed
from plait.callbacks import Callback

SCHEDULERS = ["sync", "threads"]
EVENTS = ["start", "start_state", "pretask", "posttask", "finish"]
add = delayed(operator.add)


class Failing(Exception):
    """What callbacks and tasks of these tests raise."""


def refuse(*args):
    raise Failing


def noting(notes):
    """A callback that notes its events: (name, key or errored)."""
    return Callback(
        start=lambda dsk: notes.append(("start", None)),
        start_state=lambda dsk, state: notes.append(("start_state", None)),
        pretask=lambda key, *_: notes.append(("pretask", key)),
        posttask=lambda key, *_: notes.append(("posttask", key)),
        finish=lambda dsk, state, errored: notes.append(("finish", errored)),
    )


def fan(n):
    return delayed(sum)([add(i, 1) for i in range(n)])
