# SPDX-License-Identifier: BSD-3-Clause
"""Whether this is a notebook."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["display"]


def display() -> Callable[..., Any] | None:
    """IPython's function ``display`` in a notebook; None: this is none."""
    ipython = sys.modules.get("IPython")
    if ipython is None:
        return None
    shell = ipython.get_ipython()
    # A terminal's IPython shows text only.
    if shell is None or not hasattr(shell, "kernel"):
        return None
    found: Callable[..., Any] = ipython.display.display
    return found
