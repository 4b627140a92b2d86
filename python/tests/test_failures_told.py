# SPDX-License-Identifier: BSD-3-Clause
"""What is said of failures: to logs, debuggers, and those who copy."""

import copy
import io
import logging
import pdb
import pickle

import pytest

import plait
from failing import Odd, both, caught, collected, handled_by, throw
from plait.base import compute
from plait.delayed import delayed
from plait.failures import debug

# ---- telling ----


class Failing(logging.Handler):
    def __init__(self, kind):
        super().__init__(logging.ERROR)
        self.kind = kind

    def emit(self, record):
        raise self.kind("in a handler")


class Kept(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(self.format(record))


@both
def test_each_failure_is_logged_with_its_traceback(scheduler):
    kept = Kept()
    tasks = [delayed(throw)(Odd(i)) for i in range(4)]
    with handled_by(kept):
        collected(*tasks, scheduler=scheduler)
    assert len(kept.lines) == 4
    for line in kept.lines:
        assert line.startswith("task throw-")
        assert "in throw\n" in line and "in task throw(Odd(" in line


@both
def test_a_handler_that_raises_hides_no_failure(scheduler, capfd):
    kept = Kept()
    with handled_by(Failing(Odd), kept):
        error = caught(delayed(throw)(KeyError("own")), scheduler=scheduler)
    assert type(error) is KeyError
    assert len(plait.failures(error)) == 1 and len(kept.lines) == 1
    assert "in a handler" in capfd.readouterr().err


@both
def test_a_handler_that_is_interrupted_ends_the_run(scheduler):
    with handled_by(Failing(KeyboardInterrupt)):
        error = caught(
            delayed(throw)(Odd()), on_error="collect", scheduler=scheduler
        )
    assert type(error) is KeyboardInterrupt


def test_nothing_is_shown_that_no_handler_wants():
    shown = []

    class Told(Odd):
        def __str__(self):
            shown.append(self)
            return "told"

    def fail():
        raise Told

    for handler in (logging.NullHandler(), Failing(Odd)):
        handler.setLevel(logging.CRITICAL)
        with handled_by(handler):
            assert len(collected(delayed(fail)(), delayed(fail)())) == 2
    with handled_by(logging.NullHandler()):
        assert len(collected(delayed(fail)(), delayed(fail)())) == 2
    assert shown == []


def test_a_filter_of_the_log_sees_each_failure():
    log = logging.getLogger("plait")
    seen = []
    see = seen.append
    log.addFilter(see)
    try:
        with handled_by(logging.NullHandler()):
            collected(delayed(throw)(Odd()), delayed(throw)(Odd()))
    finally:
        log.removeFilter(see)
    assert [one.levelno for one in seen] == [logging.ERROR] * 2


# ---- copies ----


def test_what_was_raised_can_be_pickled():
    error = caught(delayed(throw)(Odd("why")), delayed(throw)(KeyError()))
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is Odd and again.args == ("why",)
    assert again.__notes__ == error.__notes__
    assert plait.failures(again) == ()
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert copied.__notes__ == error.__notes__
    assert len(plait.failures(error)) == 2


# ---- a computation in a task ----


@both
def test_a_failure_in_a_computation_in_a_task(scheduler):
    def inner():
        return compute(delayed(throw)(Odd("deep")), scheduler="sync")

    failures = collected(
        *[delayed(inner)() for _ in range(2)], scheduler=scheduler
    )
    for failure in failures:
        assert failure.exception.__notes__ == [
            "in task throw(Odd('deep'))",
            "in task inner()",
        ]
        assert "in inner" in failure.traceback_text
        assert "in throw" in failure.traceback_text
    error = caught(delayed(inner)(), scheduler=scheduler)
    (failure,) = plait.failures(error)
    with pytest.raises(Odd, match="deep"):
        debug(failure)


# ---- debuggers ----


def ask(traceback, *commands):
    """What pdb says of a traceback."""
    lines = "".join(f"{command}\n" for command in (*commands, "quit"))
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO(lines), stdout=out, readrc=False)
    debugger.use_rawinput = False
    debugger.reset()
    debugger.interaction(None, traceback)
    return out.getvalue()


@both
@pytest.mark.parametrize("is_first", [True, False])
def test_debug_of_a_task_that_takes_failures(scheduler, is_first):
    calls = []

    def summarize(good, failed):
        calls.append((good, type(failed.exception)))
        raise KeyError(good)

    def fail():
        raise Odd

    bad = delayed(fail)()
    task = delayed(summarize, on_failure="pass")(delayed(abs)(-1), bad)
    targets = [task] if is_first else [bad, task]
    failure = collected(*targets, scheduler=scheduler)[-1]
    with pytest.raises(KeyError, match="1"):
        debug(failure)
    assert calls == [(1, Odd), (1, Odd)]


def fail_at(x):
    y = x + 1
    try:
        raise KeyError(y)
    except KeyError as error:
        raise Odd(y) from error


@both
def test_a_debugger_sees_where_the_first_task_failed(scheduler):
    tasks = [delayed(fail_at)(delayed(abs)(-i)) for i in (1, 2)]
    error = caught(*tasks, scheduler=scheduler)
    assert "'y' is 2" in ask(error.__traceback__, "p f'{\"y\"!r} is {y}'")
    for failure in plait.failures(error):
        (y,) = failure.exception.args
        with pytest.raises(Odd) as raised:
            debug(failure)
        said = ask(raised.value.__traceback__, "p f'{\"y\"!r} is {y}'", "up")
        assert f"'y' is {y}" in said
        assert "> " in said and "fail_at" in said


def test_a_debugger_sees_the_lines_of_the_others():
    _, failure = collected(*[delayed(fail_at)(i) for i in (1, 2)])
    behind = failure.exception.__cause__.__traceback__
    said = ask(behind, "where", "p y", "up", "down")
    assert "raise KeyError(y)" in said
    assert "NameError" in said
