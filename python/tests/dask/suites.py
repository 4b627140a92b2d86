# SPDX-License-Identifier: BSD-3-Clause
"""The suites of Dask's: where they are, and what they get instead of Dask's.

A suite sees the names below in the modules of Dask that it imports them from,
with the values that the package's modules of the same names have. In those
called ``gets_…`` only the scheduler is the package's: callbacks of Dask's must
be called by it.
"""

from __future__ import annotations

from typing import NamedTuple

Names = dict[str, tuple[str, ...]]


class Suite(NamedTuple):
    """A module of Dask's, and the names that it sees exchanged.

    ``everywhere``: those of ``dask.delayed`` that the package ``dask`` has too,
    and that are exchanged there also while a test runs.
    """

    module: str
    names: Names
    everywhere: tuple[str, ...] = ()


GETS: Names = {"dask.local": ("get_sync",), "dask.threaded": ("get",)}
OURS: Names = {**GETS, "dask.callbacks": ("Callback",),
               "dask.diagnostics": ("ProgressBar", "Profiler")}
MODULES = {"callbacks": "dask.tests.test_callbacks",
           "progress": "dask.diagnostics.tests.test_progress",
           "profiler": "dask.diagnostics.tests.test_profiler"}

SUITES = {
    "test_delayed": Suite(
        "dask.tests.test_delayed",
        {"dask.delayed": ("Delayed", "delayed", "to_task_dask")},
        everywhere=("delayed",)),
    **{f"test_{name}": Suite(module, OURS)
       for name, module in MODULES.items()},
    **{f"gets_{name}": Suite(module, GETS)
       for name, module in MODULES.items()},
}
