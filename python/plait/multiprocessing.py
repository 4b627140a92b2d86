# SPDX-License-Identifier: BSD-3-Clause
"""Worker processes: not there yet, which is what this says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

__all__ = ["get"]


def get(dsk: Mapping[Any, Any], keys: Any, **kwargs: Any) -> NoReturn:
    """Raises NotImplementedError: Plait's worker processes can't run Python
    functions yet.

    Parameters
    ----------
    dsk, keys, **kwargs
        As for ``plait.threaded.get``.
    """
    raise NotImplementedError(
        "scheduler='processes' is not there yet for Python tasks. Use "
        "scheduler='threads', or pass a process pool: "
        "pool=concurrent.futures.ProcessPoolExecutor()"
    )
