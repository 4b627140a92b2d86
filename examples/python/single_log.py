# SPDX-License-Identifier: BSD-3-Clause
"""Many tasks on many threads, one log: the program's own handlers write it."""

from __future__ import annotations

import logging

from plait import delayed

log = logging.getLogger("pipeline")


@delayed
def load_data(path: str) -> list[int]:
    log.info("loading %s", path)
    return list(range(len(path)))


@delayed
def analyze(numbers: list[int]) -> int:
    log.info("analyzing %d numbers", len(numbers))
    return sum(numbers)


@delayed
def summarize(results: list[int]) -> int:
    return sum(results)


def main() -> None:
    logging.basicConfig(
        filename="pipeline.log",
        level=logging.INFO,
        format="%(asctime)s [%(threadName)s] %(levelname)s %(name)s: "
               "%(message)s",
    )
    paths = [f"file_{i}.csv" for i in range(100)]
    final = summarize([analyze(load_data(path)) for path in paths])
    print(final.compute(num_workers=4), "in pipeline.log")


if __name__ == "__main__":
    main()
