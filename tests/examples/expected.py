# SPDX-License-Identifier: BSD-3-Clause
"""What a summary of CSV files should be, by the standard library; and how two
summaries are compared. A summary is what `--format data` makes."""

import csv
import math
import statistics

MISSING = {"", "NA", "NaN", "nan"}


def read(paths):
    """{ column: [text or None…] } of all files together."""
    columns, rows = {}, 0
    for path in paths:
        with open(path, newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                for name, text in row.items():
                    values = columns.setdefault(name, [None] * rows)
                    values.append(None if text in MISSING else text)
                rows += 1
    return columns, rows


def numbers_of(values):
    """The values as numbers, or None when one of them is no number."""
    try:
        return [None if text is None else float(text) for text in values]
    except ValueError:
        return None


def describe(name, values):
    found = [text for text in values if text is not None]
    column = {"name": name, "kind": "empty", "count": len(found),
              "missing": len(values) - len(found), "mean": None, "std": None,
              "min": None, "max": None, "distinct": None}
    numbers = numbers_of(found)
    if not found:
        return column
    if numbers is None:
        return dict(column, kind="text", distinct=len(set(found)))
    return dict(column, kind="number", mean=statistics.fmean(numbers),
                std=statistics.stdev(numbers) if len(numbers) > 1 else None,
                min=min(numbers), max=max(numbers))


def group(columns, key, value):
    groups = {}
    for name, number in zip(columns[key], numbers_of(columns[value])):
        if name is not None:
            group = groups.setdefault(name, [])
            if number is not None:
                group.append(number)
    return {"key": key, "value": value,
            "groups": [{"key": name, "count": len(numbers),
                        "mean": statistics.fmean(numbers) if numbers else None}
                       for name, numbers in sorted(groups.items())]}


def summarize(paths, group_bys=()):
    columns, rows = read(paths)
    return {"files": len(paths), "rows": rows,
            "columns": [describe(*column) for column in columns.items()],
            "groups": [group(columns, *names) for names in group_bys]}


def differences(found, expected, tolerance, where="summary"):
    """A line for each place in which two summaries differ."""
    if isinstance(expected, dict):
        if not isinstance(found, dict) or found.keys() != expected.keys():
            return [f"{where}: {found!r} is not {expected!r}"]
        return [line for key in expected
                for line in differences(found[key], expected[key], tolerance,
                                        f"{where}.{key}")]
    if isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            return [f"{where}: {found!r} is not {expected!r}"]
        return [line for i, pair in enumerate(zip(found, expected))
                for line in differences(*pair, tolerance, f"{where}[{i}]")]
    if isinstance(expected, float) and isinstance(found, (int, float)):
        same = math.isclose(found, expected, rel_tol=tolerance,
                            abs_tol=tolerance)
    else:
        same = found == expected
    return [] if same else [f"{where}: {found!r} is not {expected!r}"]


def parse_number(word):
    return None if word == "-" else float(word)


def parse_count(word):
    return None if word == "-" else int(word)


def parse(text):
    """The summary that a printed one shows; for names without spaces."""
    first, _, *blocks = text.split("\n")
    words = first.split()
    summary = {"files": int(words[0]), "rows": int(words[2]), "columns": [],
               "groups": []}
    lines = iter(blocks)
    next(lines)
    for line in lines:
        if not line:
            break
        words = line.split()
        summary["columns"].append({
            "name": words[0], "kind": words[1], "count": int(words[2]),
            "missing": int(words[3]), "mean": parse_number(words[4]),
            "std": parse_number(words[5]), "min": parse_number(words[6]),
            "max": parse_number(words[7]), "distinct": parse_count(words[8])})
    for title in lines:
        _, _, value, _, key = title.split()
        next(lines)
        groups = []
        for line in lines:
            if not line:
                break
            name, count, mean = line.split()
            groups.append({"key": name, "count": int(count),
                           "mean": parse_number(mean)})
        summary["groups"].append({"key": key, "value": value,
                                  "groups": groups})
    return summary
