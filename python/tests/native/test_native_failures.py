# SPDX-License-Identifier: BSD-3-Clause
"""C functions that fail, or are to stop."""

from __future__ import annotations

import pytest

import plait
from c_library import add, boom, give
from plait import delayed


def test_an_error_is_an_exception(lib, scheduler):
    call = add(lib.fail_with(give("it went wrong")), 1)
    with pytest.raises(plait.TaskError) as caught:
        call.compute()
    assert str(caught.value) == "it went wrong"
    assert caught.value.status == "PLAIT_ETASK"
    assert isinstance(caught.value, RuntimeError)
    assert caught.value.__notes__ == [
        "in task fail_with-0 ← give('it went wrong')"]
    failures = plait.failures(caught.value)
    assert [one.exception for one in failures] == [caught.value]
    assert failures[0].sources == ("give('it went wrong')",)


@pytest.mark.parametrize("status, name, kind", [
    (-2, "PLAIT_EINVAL", "TaskError"), (-13, "PLAIT_ESYS", "TaskError"),
    (-6, "PLAIT_ETIMEDOUT", "TimeoutError"),
])
def test_the_status_is_kept(lib, scheduler, status, name, kind):
    with pytest.raises((TimeoutError, plait.TaskError)) as caught:
        lib.fail_with(status, "why").compute()
    assert str(caught.value) == "why"
    assert type(caught.value).__name__ == kind
    assert caught.value.status == name


def test_no_memory(lib):
    with pytest.raises(MemoryError):
        lib.no_memory().compute()


def test_failures_are_logged_when_they_happen(lib, scheduler, caplog):
    call = lib.fail_with("oh no")
    with pytest.raises(plait.TaskError):
        call.compute()
    (record,) = caplog.records
    assert record.name == "plait" and record.levelname == "ERROR"
    assert "TaskError: oh no" in record.getMessage()
    assert str(call.key) in record.getMessage()


def test_all_failures_are_listed(lib, scheduler):
    parts = [lib.fail_with(f"number {i}") for i in range(5)] + [boom()]
    with pytest.raises(plait.TaskError, match="number 0") as caught:
        add(*parts).compute()
    texts = {str(one.exception) for one in plait.failures(caught.value)}
    assert texts == {"boom", *(f"number {i}" for i in range(5))}


def test_failures_collected(lib, scheduler):
    bad = lib.fail_with("bad")
    values = plait.compute(bad, add(bad), lib.sum(bad), lib.sum(1),
                           lib.sum(boom()), on_error="collect")
    assert [bool(one) for one in values] == [False, False, False, True, False]
    assert str(values[0].exception) == "bad" and not values[0].skipped
    assert all(one.skipped and one.cause_key == bad.key
               and one.exception is values[0].exception
               for one in values[1:3])
    assert isinstance(values[4].exception, ValueError) and values[4].skipped


def test_a_python_task_that_takes_failures(lib, scheduler):
    def summarize(results):
        ok, failed = plait.split(results)
        return ok, [str(one.exception) for one in failed]

    parts = [lib.sum(1), lib.fail_with("x"), lib.sum(lib.fail_with("y")),
             boom(), give(2)]
    result = delayed(summarize, on_failure="pass")(parts).compute()
    assert result == ([1, 2], ["x", "y", "boom"])


def test_a_c_task_that_takes_failures(lib, scheduler):
    first_of = delayed(lib.first_of.__wrapped__, on_failure="pass")
    assert first_of(lib.fail_with("x")).compute() == "an error"
    assert first_of(boom()).compute() == "an error"
    assert first_of([1]).compute() == 1


def test_retries(lib, scheduler, caplog):
    with plait.annotate(retries=2):
        call = lib.flaky(3)
    assert call.compute() == 3
    assert delayed(lib.flaky.__wrapped__, retries=1)(2).compute() == 2
    assert caplog.records == []
    with pytest.raises(plait.TaskError, match="attempt 2"):
        delayed(lib.flaky.__wrapped__, retries=1)(3).compute()
    assert len(caplog.records) == 1


def test_a_time_limit(lib, scheduler):
    nap = delayed(lib.cancelled_nap.__wrapped__, timeout=0.05)
    with pytest.raises(TimeoutError, match="told to stop"):
        nap().compute()


def test_an_error_that_ends_the_run(lib, scheduler):
    for on_error in ("finish", "collect"):
        with pytest.raises(plait.TaskError, match="^enough$") as caught:
            plait.compute(lib.sum(lib.stop(), 1), on_error=on_error)
        assert caught.value.status == "PLAIT_ETASK"


def test_debug_runs_it_again(lib, scheduler):
    with pytest.raises(plait.TaskError) as caught:
        lib.unbox(give(3)).compute()
    with pytest.raises(plait.TaskError, match="no box"):
        plait.debug(caught.value)
