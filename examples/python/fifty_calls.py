# SPDX-License-Identifier: BSD-3-Clause
"""Fifty independent calls, five at a time: by the standard library, and by
Plait. Both give the results in the order of the arguments."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

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


def standard() -> tuple[list[int], int]:
    gauge = Gauge()
    with ThreadPoolExecutor(max_workers=5) as pool:
        futures = [pool.submit(fetch, i, gauge) for i in range(50)]
        return [future.result() for future in futures], gauge.most


def plaited() -> tuple[list[int], int]:
    gauge = Gauge()
    calls = [delayed(fetch)(i, gauge) for i in range(50)]
    return list(compute(*calls, num_workers=5)), gauge.most


def main() -> None:
    for name, (results, most) in (("standard library", standard()),
                                  ("plait", plaited())):
        print(f"{name}: {results[0]} to {results[-1]}, "
              f"{most} at a time at most")


if __name__ == "__main__":
    main()
