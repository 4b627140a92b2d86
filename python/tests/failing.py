# SPDX-License-Identifier: BSD-3-Clause
"""Tasks that fail, for the tests of failures."""

import contextlib
import logging

import pytest

from plait.base import compute

both = pytest.mark.parametrize("scheduler", ["threads", "sync"])


class Odd(Exception):
    pass


def throw(exception):
    raise exception


def collected(*tasks, **options):
    return compute(*tasks, on_error="collect", **options)


def caught(*tasks, **options):
    with pytest.raises(BaseException) as raised:
        compute(*tasks, **options)
    return raised.value


@contextlib.contextmanager
def handled_by(*handlers):
    """Plait's log has these handlers, and no others."""
    log = logging.getLogger("plait")
    before = log.handlers[:], log.propagate
    log.handlers[:], log.propagate = handlers, False
    try:
        yield
    finally:
        log.handlers[:], log.propagate = before


class Big:
    """Something whose end is seen."""

    def __init__(self, *parts):
        self.parts = parts
