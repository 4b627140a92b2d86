# SPDX-License-Identifier: BSD-3-Clause
"""plait.split, plait.debug, and what the log says of failures."""

import logging
import operator

import pytest

import plait.failures
from plait.base import compute
from plait.delayed import delayed
from plait.failures import Failure, debug, split

divide = delayed(operator.truediv)


def failed_of(*tasks):
    with pytest.raises(Exception) as raised:
        compute(*tasks)
    return raised.value


def test_split_tells_values_from_failures():
    results = compute(
        *[divide(6, n) for n in (1, 0, 2, 0)], on_error="collect"
    )
    ok, failed = split(results)
    assert ok == [6.0, 3.0]
    assert len(failed) == 2
    assert all(isinstance(one, Failure) for one in failed)
    assert all(type(one.exception) is ZeroDivisionError for one in failed)


def test_split_keeps_what_is_false_but_no_failure():
    assert split([0, None, "", [], False]) == ([0, None, "", [], False], [])


def test_split_in_a_task_that_takes_failures():
    @delayed(on_failure="pass")
    def summarize(results):
        ok, failed = split(results)
        return ok, [one.key for one in failed]

    bad = divide(1, 0, dask_key_name="bad")
    assert summarize([divide(6, 2), bad]).compute() == ([3.0], ["bad"])


def test_the_module_is_a_function_too():
    bad = divide(1, 0)
    error = failed_of(bad)
    (only,) = plait.failures(error)
    assert only.key == bad.key and only.exception is error
    assert plait.failures(KeyError()) == ()


def test_debug_runs_the_task_again():
    calls = []

    def fails_once(x):
        calls.append(x)
        if len(calls) == 1:
            raise OSError("once")
        return "worked"

    task = delayed(fails_once)(divide(6, 2))
    (failure,) = compute(task, on_error="collect")
    assert debug(failure) == "worked"
    assert calls == [3.0, 3.0]


def test_debug_raises_as_the_task_did():
    (failure,) = compute(divide(1, 0), on_error="collect")
    with pytest.raises(ZeroDivisionError):
        debug(failure)


def test_debug_of_what_was_raised():
    def fail(x):
        raise OSError(f"no {x}")

    error = failed_of(delayed(fail)("file"))
    with pytest.raises(OSError, match="no file"):
        debug(error)
    with pytest.raises(ValueError, match="no task"):
        debug(KeyError())


def test_debug_of_what_never_ran():
    bad = divide(1, 0, dask_key_name="bad")
    after = delayed(abs)(bad, dask_key_name="after")
    (failure,) = compute(after, on_error="collect")
    assert failure.skipped
    with pytest.raises(ValueError, match="'after' never ran, for 'bad'"):
        debug(failure)


def test_each_failure_is_logged_once(caplog):
    first = divide(1, 0, dask_key_name="first")
    second = divide(2, 0, dask_key_name="second")
    after = delayed(abs)(first)
    with caplog.at_level(logging.ERROR, logger="plait"):
        failed_of(first, second, after)
    records = [one for one in caplog.records if one.name == "plait"]
    texts = sorted(one.getMessage() for one in records)
    assert len(texts) == 2
    assert texts[0].startswith("task first failed: ZeroDivisionError: ")
    assert texts[1].startswith("task second failed: ZeroDivisionError: ")
    assert all(one.levelno == logging.ERROR for one in records)
    assert all(one.exc_info[0] is ZeroDivisionError for one in records)


def test_a_delayed_that_nobody_runs_is_told(caplog):
    @delayed
    def analyze(x):
        return x

    def safe(x):
        return {"ok": True, "result": analyze(x)}

    with caplog.at_level(logging.ERROR, logger="plait"):
        with pytest.warns(UserWarning, match="analyze that nobody runs"):
            delayed(safe)(1).compute()
    (record,) = [one for one in caplog.records if one.name == "plait"]
    assert "analyze.__wrapped__" in record.getMessage()
