# SPDX-License-Identifier: BSD-3-Clause
"""Delayed calls in parallel, in C.

>>> from plait import delayed
>>> @delayed
... def double(x):
...     return 2 * x
>>> delayed(sum)([double(i) for i in range(4)]).compute()
12
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

# The function hides the module of that name, as in Dask.
from plait.delayed import Delayed, Failure, delayed

if TYPE_CHECKING:  # `as`: they are exported
    from plait import (
        callbacks as callbacks,
        config as config,
        diagnostics as diagnostics,
        multiprocessing as multiprocessing,
        threaded as threaded,
    )
    from plait._core import (
        NativeValue as NativeValue,
        Run as Run,
        TaskCancelled as TaskCancelled,
        TaskError as TaskError,
        __version__ as __version__,
        native as native,
    )
    from plait.asynchronous import acompute as acompute
    from plait.base import (
        annotate as annotate,
        compute as compute,
        get_annotations as get_annotations,
        is_dask_collection as is_dask_collection,
        optimize as optimize,
        persist as persist,
        start as start,
        tokenize as tokenize,
        visualize as visualize,
    )
    from plait.executors import (
        ProcessPoolExecutor as ProcessPoolExecutor,
        ThreadPoolExecutor as ThreadPoolExecutor,
    )
    from plait.failures import (
        debug as debug,
        failures as failures,
        split as split,
    )
    from plait.local import get as get
    from plait.logs import log_fields as log_fields

# Where a name is found when somebody asks for it.
_HOMES = {
    "ProcessPoolExecutor": "executors",
    "NativeValue": "_core",
    "Run": "_core",
    "TaskCancelled": "_core",
    "ThreadPoolExecutor": "executors",
    "TaskError": "_core",
    "__version__": "_core",
    "native": "_core",
    "acompute": "asynchronous",
    "annotate": "base",
    "compute": "base",
    "get_annotations": "base",
    "is_dask_collection": "base",
    "optimize": "base",
    "persist": "base",
    "start": "base",
    "tokenize": "base",
    "visualize": "base",
    "debug": "failures",
    "failures": "failures",
    "split": "failures",
    "get": "local",
    "log_fields": "logs",
}

_MODULES = frozenset(
    ["base", "callbacks", "config", "diagnostics", "multiprocessing"]
    + ["threaded"]
)

__all__ = ["Delayed", "Failure", "delayed", *_HOMES, *sorted(_MODULES)]


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return _import_module(f"plait.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'plait' has no attribute {name!r}")
    found: object = getattr(_import_module(f"plait.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
