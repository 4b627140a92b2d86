# SPDX-License-Identifier: BSD-3-Clause
"""load → clean → analyze → summarize: how late were the flights that left New
York in 2013, by carrier?

    python flights.py                     what `make demo` has fetched
    python flights.py --sample            the small sample in the repository
    python flights.py jan.csv feb.csv     other files with the same columns
    python flights.py --scheduler sync    in this thread
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from plait import delayed

ROOT = Path(__file__).resolve().parents[2]
FETCHED = ROOT / "build" / "flights"
SAMPLE = ROOT / "examples" / "data"

Row = dict[str, str]
Late = tuple[str, float]  # a carrier, and a flight's delay in minutes
Sums = dict[str, tuple[int, float]]  # carrier -> flights, sum of delays


@delayed
def load_data(path: Path) -> list[Row]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@delayed
def clean_data(rows: list[Row]) -> list[Late]:
    """Flights that arrived."""
    return [
        (row["carrier"], float(row["arr_delay"]))
        for row in rows
        if row["arr_delay"] != "NA"
    ]


@delayed
def analyze(flights: list[Late]) -> Sums:
    sums: Sums = {}
    for carrier, delay in flights:
        count, total = sums.get(carrier, (0, 0.0))
        sums[carrier] = count + 1, total + delay
    return sums


@delayed
def summarize(results: list[Sums]) -> list[tuple[str, int, float]]:
    """Carrier, flights, mean delay; the latest first."""
    sums: Sums = {}
    for result in results:
        for carrier, (count, total) in result.items():
            before, so_far = sums.get(carrier, (0, 0.0))
            sums[carrier] = before + count, so_far + total
    means = [(name, n, total / n) for name, (n, total) in sums.items()]
    return sorted(means, key=lambda line: (-line[2], line[0]))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Mean delays by carrier.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--scheduler")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = SAMPLE if asked.sample or not FETCHED.exists() else FETCHED
    paths = asked.paths or sorted(folder.glob("flights-2013-*.csv"))

    lazy_results = []
    for path in paths:
        rows = load_data(path)
        flights = clean_data(rows)
        lazy_results.append(analyze(flights))
    final = summarize(lazy_results)

    print(f"{'carrier':8}{'flights':>9}{'minutes late':>14}")
    for carrier, count, mean in final.compute(scheduler=asked.scheduler):
        print(f"{carrier:8}{count:9,}{mean:14.2f}")


if __name__ == "__main__":
    main()
