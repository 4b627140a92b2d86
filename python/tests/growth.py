# SPDX-License-Identifier: BSD-3-Clause
"""What computations leave behind, counted over several rounds of them.

A leak shows in each round. Caches that fill, dicts that are resized, and what a
worker has yet to free don't: the round that grew least is judged."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
import sys
import threading

# A debug build counts references, and is slow; some leaks show with each call.
COUNTS_REFERENCES = hasattr(sys, "gettotalrefcount")
ROUNDS = 4
# Of a thing: once in twenty computations, but what a few threads may hold.
SLACK = 0.05
FEW = 25
SLACK_BYTES = 8
FEW_BYTES = 4096


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks",
        "fsmblks", "uordblks", "fordblks", "keepcost")]


def _find_mallinfo():
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function:
        function.restype = _Mallinfo
    return function


_mallinfo = _find_mallinfo()


def _bytes_in_use():
    """Of C's heap, where it can tell: what Python's own allocator doesn't
    have."""
    info = _mallinfo() if _mallinfo else _Mallinfo()
    return info.uordblks + info.hblkhd


def _forget_names():
    """Python keeps the names that were last looked up on types, also those
    that only one call had."""
    getattr(sys, "_clear_internal_caches",
            getattr(sys, "_clear_type_cache", None))()


def _count():
    _forget_names()
    for _ in range(3):
        gc.collect()
    return {
        "objects": len(gc.get_objects()),
        "blocks": sys.getallocatedblocks(),
        "references": sys.gettotalrefcount() if COUNTS_REFERENCES else 0,
        "bytes": _bytes_in_use(),
    }


def _threads_and_files():
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


def assert_none(act, times):
    """Runs ``act`` so many times, a fifth of them to warm up. Its failures are
    logged to nobody, and kept by nobody."""
    logging.disable(logging.CRITICAL)
    try:
        _assert_none(act, times)
    finally:
        logging.disable(logging.NOTSET)


def _assert_none(act, times):
    each = max(times // (ROUNDS + 1), 1)
    if COUNTS_REFERENCES:
        each = max(each // 10, 100)
    for _ in range(each):
        act()
    threads, files = _threads_and_files()
    counts = [_count()]
    for _ in range(ROUNDS):
        for _ in range(each):
            act()
        counts.append(_count())
    for name in counts[0]:
        least = min(after[name] - before[name]
                    for before, after in zip(counts, counts[1:]))
        slack = (max(SLACK_BYTES * each, FEW_BYTES) if name == "bytes"
                 else max(SLACK * each, FEW))
        assert least <= slack, (name, [count[name] for count in counts])
    threads_now, files_now = _threads_and_files()
    assert threads_now <= threads
    assert files_now <= files
