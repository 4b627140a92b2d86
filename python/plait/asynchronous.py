# SPDX-License-Identifier: BSD-3-Clause
"""Computing without blocking an event loop."""

from __future__ import annotations

import asyncio
from typing import Any

from plait import _core, base

__all__ = ["acompute"]


async def acompute(*args: Any, **kwargs: Any) -> Any:
    """Compute while the event loop goes on.

    When the awaiting task is cancelled, so is the computation: what runs is
    told, what has not begun never begins.

    Parameters
    ----------
    *args
        As for ``plait.compute``.
    **kwargs
        As for ``plait.compute``.

    Returns
    -------
    object
        The value of the one argument; for any other number of them a tuple.

    Examples
    --------
    >>> import asyncio
    >>> from plait import delayed
    >>> asyncio.run(acompute(delayed(sum)([1, 2])))
    3
    """
    targets, settings, finish = base.prepare(args, kwargs)
    if targets is None:
        # A scheduler that can only be waited for.
        values = await asyncio.to_thread(finish, None)
    else:
        if settings.get("scheduler") == "sync":
            # One task at a time, but not in the thread of the loop.
            settings = {**settings, "scheduler": "threads", "workers": 1}
        run = _core.start(targets, **settings)
        values = finish(await _finished(run, settings.get("run_timeout")))
    return values[0] if len(args) == 1 else values


async def _finished(run: _core.Run, seconds: float | None) -> Any:
    """The run's results; it has so many seconds."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def wake(_: _core.Run) -> None:
        try:
            loop.call_soon_threadsafe(ended.set)
        except RuntimeError:  # the loop is closed: nobody waits any more
            return

    run.add_done_callback(wake)
    try:
        await asyncio.wait_for(ended.wait(), seconds)
    except asyncio.CancelledError:
        run.cancel()
        raise
    except TimeoutError:
        pass  # The run says so, though a task may go on.
    return run.result()
