# SPDX-License-Identifier: BSD-3-Clause
"""In a notebook's kernel: interrupting, awaiting, showing."""

from __future__ import annotations

import jupyter_client.manager
import pytest

# No answer takes this long.
SECONDS = 60


class Kernel:
    """A kernel that runs cells."""

    def __init__(self):
        self.manager, self.client = jupyter_client.manager.start_new_kernel(
            kernel_name="python3", startup_timeout=SECONDS)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def messages(self, request):
        """What a cell shows, until it is done: kinds and contents."""
        while True:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["header"]["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            yield kind, content

    def run(self, cell, interrupt_at=None):
        """The messages of a cell, interrupted when it has printed this."""
        request = self.client.execute(cell)
        found, printed = [], ""
        for kind, content in self.messages(request):
            found.append((kind, content))
            if kind == "stream":
                printed += content["text"]
            if interrupt_at and interrupt_at in printed:
                interrupt_at = None
                self.manager.interrupt_kernel()
        return found

    def value(self, cell):
        """What the last line of a cell is, by the types of its pictures."""
        for kind, content in self.run(cell):
            assert kind != "error", content["traceback"]
            if kind == "execute_result":
                return content["data"]
        raise AssertionError("no value")


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    kernel.run("""
import time, plait
from plait import compute, delayed
@delayed
def loop(n):
    print("ready", flush=True)
    while True:
        pass
@delayed
def nested(n):
    return compute(loop(n))
""")
    yield kernel
    kernel.end()


@pytest.mark.parametrize("task", ["loop", "nested"])
@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_a_cell_is_interrupted_and_the_next_one_runs(kernel, scheduler, task):
    cell = f"compute(*map({task}, range(3)), scheduler={scheduler!r})"
    kind, content = kernel.run(cell, interrupt_at="ready")[-1]
    assert (kind, content["ename"]) == ("error", "KeyboardInterrupt")
    data = kernel.value(f"compute(delayed(abs)(-2), scheduler={scheduler!r})")
    assert data["text/plain"] == "(2,)"


def test_a_value_is_awaited(kernel):
    data = kernel.value("await plait.acompute(delayed(abs)(-2))")
    assert data["text/plain"] == "2"


def test_a_delayed_is_drawn(kernel):
    data = kernel.value("delayed(abs)(delayed(round)(2.5))")
    assert "round" in data["image/svg+xml"] and "abs" in data["image/svg+xml"]
    assert data["text/plain"].startswith("Delayed(")


def test_progress_is_shown(kernel):
    messages = kernel.run("""
from plait.diagnostics import ProgressBar
with ProgressBar():
    compute(*[delayed(time.sleep)(0.01) for _ in range(20)])
""")
    kinds = {kind for kind, _ in messages}
    assert "error" not in kinds
    assert kinds & {"display_data", "update_display_data", "stream"}
