# SPDX-License-Identifier: BSD-3-Clause
"""The module side of ``plait.delayed``, which is a function and a module.

``from plait.delayed import delayed, Delayed`` finds them here.
"""

from plait._core import Delayed, Failure, delayed

__all__ = ["Delayed", "Failure", "delayed"]
