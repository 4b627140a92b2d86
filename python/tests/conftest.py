# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of many files: Dask, or none."""

import sys

import pytest


@pytest.fixture
def no_dask(monkeypatch):
    """As if nobody had imported Dask."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("dask", "distributed"):
            monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture
def dask():
    # Not "dask" itself: a folder of that name lies beside this file.
    pytest.importorskip("dask.base")
    return sys.modules["dask"]
