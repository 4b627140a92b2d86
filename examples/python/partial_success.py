# SPDX-License-Identifier: BSD-3-Clause
"""Some inputs are broken, and the rest should count: three ways.

Ten files are made, in a folder that is gone afterwards; 3 and 7 are broken."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TypedDict

from plait import Failure, compute, delayed, split

BROKEN = (3, 7)


class Outcome(TypedDict):
    """What a task that can't fail says."""

    path: str
    ok: bool
    result: int | None
    error: str | None


@delayed
def load_data(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


@delayed
def clean_data(words: list[str]) -> list[int]:
    return [int(word) for word in words]


def mean(numbers: list[int]) -> int:
    return sum(numbers) // len(numbers)


analyze = delayed(mean)


# 1. The task catches its own failure. It calls the plain function: a delayed
#    one would only make another task there.


@delayed
def safe_analyze(words: list[str], path: Path) -> Outcome:
    try:
        result = mean([int(word) for word in words])
    except Exception as error:
        return {"path": path.name, "ok": False, "result": None,
                "error": repr(error)}
    return {"path": path.name, "ok": True, "result": result, "error": None}


@delayed
def summarize_outcomes(outcomes: list[Outcome]) -> str:
    good = [one["result"] for one in outcomes if one["result"] is not None]
    bad = [one["path"] for one in outcomes if not one["ok"]]
    return f"sum {sum(good)}, without {', '.join(bad)}"


def with_safe_tasks(paths: list[Path]) -> str:
    outcomes = [safe_analyze(load_data(path), path) for path in paths]
    return str(summarize_outcomes(outcomes).compute())


# 2. The summary takes failures among its inputs.


@delayed(on_failure="pass")
def summarize(results: list[int | Failure]) -> str:
    good, bad = split(results)
    causes = [str(failure.cause_key).split("-")[0] for failure in bad]
    return f"sum {sum(good)}, without {len(bad)} that failed in {causes[0]}"


def with_a_summary_that_takes_failures(paths: list[Path]) -> str:
    results = [analyze(clean_data(load_data(path))) for path in paths]
    return str(summarize(results).compute())


# 3. Every target's outcome, and the summary is made here.


def with_collected_failures(paths: list[Path]) -> str:
    results = [analyze(clean_data(load_data(path))) for path in paths]
    outcomes = compute(*results, on_error="collect")
    good, _ = split(outcomes)
    bad = [
        f"{path.name} ({type(outcome.exception).__name__})"
        for path, outcome in zip(paths, outcomes)
        if isinstance(outcome, Failure)
    ]
    return f"sum {sum(good)}, without {', '.join(bad)}"


def make_files(folder: Path) -> list[Path]:
    paths = [folder / f"file_{i}.csv" for i in range(10)]
    for i, path in enumerate(paths):
        path.write_text("?" if i in BROKEN else f"{i} {i + 2}",
                        encoding="utf-8")
    return paths


def main() -> None:
    # Each failure is logged when it happens; here it would only distract.
    logging.getLogger("plait").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        paths = make_files(Path(folder))
        print(with_safe_tasks(paths))
        print(with_a_summary_that_takes_failures(paths))
        print(with_collected_failures(paths))


if __name__ == "__main__":
    main()
