# SPDX-License-Identifier: BSD-3-Clause
"""Seeing what a computation does."""

from __future__ import annotations

from plait.diagnostics.profile import Profiler, TaskData
from plait.diagnostics.progress import ProgressBar
from plait.diagnostics.resources import (
    CacheData,
    CacheProfiler,
    ResourceData,
    ResourceProfiler,
)

__all__ = [
    "CacheData",
    "CacheProfiler",
    "Profiler",
    "ProgressBar",
    "ResourceData",
    "ResourceProfiler",
    "TaskData",
]
