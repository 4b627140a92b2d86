# SPDX-License-Identifier: BSD-3-Clause
"""Fifty independent calls, five at a time: by the standard library, by Plait's
executor, which is used in the same way, and as delayed calls. All give the
results in the order of the arguments."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import plait
from plait import compute, delayed


class Gauge:
    """How many calls there were at one time, at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._now -= 1


def fetch(number: int, gauge: Gauge) -> int:
    with gauge:
        time.sleep(0.005)  # as for a network
        return number + 1000


def submitted(make: Callable[[int], Executor]) -> tuple[list[int], int]:
    gauge = Gauge()
    with make(5) as pool:
        futures = [pool.submit(fetch, i, gauge) for i in range(50)]
        return [future.result() for future in futures], gauge.most


def computed() -> tuple[list[int], int]:
    gauge = Gauge()
    calls = [delayed(fetch)(i, gauge) for i in range(50)]
    return list(compute(*calls, num_workers=5)), gauge.most


def main() -> None:
    for name, (results, most) in {
        "standard library": submitted(ThreadPoolExecutor),
        "plait's executor": submitted(plait.ThreadPoolExecutor),
        "delayed calls": computed(),
    }.items():
        print(f"{name}: {results[0]} to {results[-1]}, "
              f"{most} at a time at most")


if __name__ == "__main__":
    main()
