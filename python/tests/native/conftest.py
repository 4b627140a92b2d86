# SPDX-License-Identifier: BSD-3-Clause
"""The library of tasks.c, and the two schedulers."""

import pytest

import plait
from c_library import ROOT, SCHEDULERS, build


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("native")


@pytest.fixture(scope="module")
def path(folder):
    source = ROOT / "python" / "tests" / "native" / "tasks.c"
    return build(folder / "tasks.so", source)


@pytest.fixture(scope="module")
def lib(path):
    return plait.native(path)


@pytest.fixture(params=SCHEDULERS)
def scheduler(request):
    with plait.config.set(scheduler=request.param):
        yield request.param
