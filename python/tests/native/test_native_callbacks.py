# SPDX-License-Identifier: BSD-3-Clause
"""C functions in a run that a callback has ended."""

from __future__ import annotations

import pytest

import plait
from plait.callbacks import Callback


def refuse(*args):
    raise KeyError("a callback")


@pytest.mark.parametrize("on_error", ["finish", "stop", "collect"])
def test_none_runs_whose_pretask_raised(lib, scheduler, on_error, caplog):
    calls = [lib.fail_with(f"it ran: {i}") for i in range(20)]
    with Callback(pretask=refuse):
        with pytest.raises(KeyError, match="a callback"):
            plait.compute(*calls, on_error=on_error)
    assert caplog.records == []


@pytest.mark.parametrize("on_error", ["finish", "stop", "collect"])
def test_none_begins_after_a_posttask_raised(lib, scheduler, on_error, caplog):
    first = lib.same(1)
    calls = [lib.nap(first, f"ran: {i}") for i in range(20)]
    calls = [lib.fail_with(call) for call in calls]
    with Callback(posttask=refuse):
        with pytest.raises(KeyError, match="a callback"):
            plait.compute(*calls, on_error=on_error)
    assert caplog.records == []
