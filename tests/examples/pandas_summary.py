#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pandas_summary.py KEY:VALUE FILE…: what pandas makes of CSV files, as JSON in
the form of expected.py. Run by a Python that has pandas."""

import json
import math
import sys

import pandas


def number(x):
    return None if x is None or math.isnan(x) else float(x)


def describe(name, column):
    found = {"name": name, "kind": "empty", "count": int(column.count()),
             "missing": int(column.isna().sum()), "mean": None, "std": None,
             "min": None, "max": None, "distinct": None}
    if found["count"] == 0:
        return found
    if not pandas.api.types.is_numeric_dtype(column):
        return dict(found, kind="text", distinct=int(column.nunique()))
    return dict(found, kind="number", mean=number(column.mean()),
                std=number(column.std(ddof=1)), min=number(column.min()),
                max=number(column.max()))


def main():
    key, value = sys.argv[1].split(":")
    paths = sys.argv[2:]
    whole = pandas.concat([pandas.read_csv(path) for path in paths])
    groups = whole.groupby(key, sort=True)[value].agg(["count", "mean"])
    json.dump({
        "files": len(paths), "rows": len(whole),
        "columns": [describe(name, whole[name]) for name in whole.columns],
        "groups": [{"key": key, "value": value, "groups": [
            {"key": str(name), "count": int(row["count"]),
             "mean": number(row["mean"])} for name, row in groups.iterrows()]}],
    }, sys.stdout)


if __name__ == "__main__":
    main()
