# SPDX-License-Identifier: BSD-3-Clause
"""One log: what tasks and the C library say, in the program's own handlers."""

from __future__ import annotations

import ctypes
import importlib
import logging
import operator
import subprocess
import sys
import threading

import pytest

import plait
from plait import delayed, logs

LIBRARY = ctypes.CDLL("libplait.so.0")  # the one that is loaded


class Kept(logging.Handler):
    """Keeps the records."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def said(self, name="pipeline"):
        return [one for one in self.records if one.name == name]


@pytest.fixture
def kept():
    handler = Kept()
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(params=["sync", "threads"])
def scheduler(request):
    return request.param


@pytest.fixture
def factory():
    """Whoever's log record factory is set is set again."""
    before = logging.getLogRecordFactory()
    yield before
    logging.setLogRecordFactory(before)


def say(text, level=logging.INFO):
    """A line of C's log, as a C task without a context would write it."""
    LIBRARY.plait_log(None, level, b"%s", text.encode())


@delayed
def speak(x):
    logging.getLogger("pipeline").info("speaking of %s", x)
    return x


@delayed
def say_in_c(text):
    say(text)
    return text


@delayed
def fail(x):
    raise ValueError(f"no {x}")


def run_program(tmp_path, text):
    (tmp_path / "program.py").write_text(text)
    return subprocess.run([sys.executable, "program.py"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=60,
                          check=False)


# ---- records of tasks ----


def test_a_record_names_its_task_thread_and_process(kept, scheduler):
    task = speak("rain", dask_key_name="speak-rain")
    task.compute(scheduler=scheduler)
    (record,) = kept.said()
    assert record.task == "speak-rain"
    assert record.processName == "MainProcess"
    thread = {"sync": "MainThread", "threads": "plait-"}[scheduler]
    assert record.threadName.startswith(thread)


def test_a_key_that_is_a_tuple_is_named_too(kept):
    speak(1, dask_key_name=("speak", 1)).compute()
    assert kept.said()[0].task == "('speak', 1)"


def test_a_record_outside_of_tasks_has_no_task(kept, scheduler):
    speak(1).compute(scheduler=scheduler)
    logging.getLogger("pipeline").info("done")
    assert not hasattr(kept.said()[-1], "task")


def test_extra_may_name_a_task(kept, scheduler):
    @delayed
    def mine():
        logging.getLogger("pipeline").info("mine", extra={"task": "my own"})

    with plait.log_fields():
        mine().compute(scheduler=scheduler)
        logging.getLogger("pipeline").info("mine", extra={"task": "my own"})
    assert [one.task for one in kept.said()] == ["my own", "my own"]


def test_a_nested_computation_names_its_own_tasks(kept, scheduler):
    @delayed
    def outer():
        log = logging.getLogger("pipeline")
        log.info("before")
        speak("x", dask_key_name="inner").compute(scheduler=scheduler)
        log.info("after")

    outer(dask_key_name="outer").compute(scheduler=scheduler)
    assert [one.task for one in kept.said()] == ["outer", "inner", "outer"]


# ---- %(task)s ----


def test_log_fields_give_every_record_a_task(kept):
    formatter = logging.Formatter("%(task)s|%(message)s")
    with plait.log_fields():
        logging.getLogger("pipeline").info("begin")
        speak(1, dask_key_name="speak-1").compute()
    lines = [formatter.format(one) for one in kept.said()]
    assert lines == ["|begin", "speak-1|speaking of 1"]


def test_log_fields_are_undone(factory):
    logging.setLogRecordFactory(logging.LogRecord)
    outer = plait.log_fields()
    with plait.log_fields():
        assert logging.makeLogRecord({}).task == ""
    assert logging.makeLogRecord({}).task == ""
    outer.close()
    outer.close()
    assert not hasattr(logging.makeLogRecord({}), "task")


def test_a_factory_of_the_programs_own_is_asked(kept, factory):
    class Mine(logging.LogRecord):
        pass

    logging.setLogRecordFactory(Mine)
    speak(1, dask_key_name="one").compute()
    (record,) = kept.said()
    assert type(record) is Mine
    assert record.task == "one"


def test_a_factory_that_asks_ours_is_asked_too(kept, factory):
    speak(0).compute()
    ours = logging.getLogRecordFactory()

    def more(*args, **kwargs):
        record = ours(*args, **kwargs)
        record.more = True
        return record

    logging.setLogRecordFactory(more)
    for number in range(3):
        speak(number, dask_key_name=f"n-{number}").compute()
    assert [one.task for one in kept.said()[1:]] == ["n-0", "n-1", "n-2"]
    assert all(one.more for one in kept.said()[1:])


def test_nothing_is_changed_before_the_first_computation(tmp_path):
    done = run_program(tmp_path, """\
import logging
import plait
from plait import delayed
assert logging.getLogRecordFactory() is logging.LogRecord
delayed(abs)(-1)
assert logging.getLogRecordFactory() is logging.LogRecord
delayed(abs)(-1).compute()
assert logging.getLogRecordFactory() is not logging.LogRecord
from plait import logs
logs.unwatch()
assert logging.getLogRecordFactory() is logging.LogRecord
delayed(abs)(-1).compute()
assert logging.getLogRecordFactory() is logging.LogRecord
with plait.log_fields():
    assert logging.makeLogRecord({}).task == ""
assert logging.getLogRecordFactory() is logging.LogRecord
""")
    assert done.returncode == 0, done.stderr


def test_unwatch_leaves_a_factory_that_was_set_since(tmp_path):
    done = run_program(tmp_path, """\
import logging
from plait import delayed, logs
delayed(abs)(-1).compute()
ours = logging.getLogRecordFactory()
def theirs(*args, **kwargs):
    return ours(*args, **kwargs)
logging.setLogRecordFactory(theirs)
logs.unwatch()
assert logging.getLogRecordFactory() is theirs
@delayed
def look():
    return hasattr(logging.makeLogRecord({}), "task")
assert look().compute() is False
""")
    assert done.returncode == 0, done.stderr


def test_reloading_changes_nothing(kept, factory):
    speak(0).compute()
    before = logging.getLogRecordFactory()
    importlib.reload(logs)
    speak(1, dask_key_name="again").compute()
    assert logging.getLogRecordFactory() is before
    assert kept.said()[-1].task == "again"


# ---- failures ----


def test_a_failure_is_one_error_of_logger_plait(kept, scheduler):
    with pytest.raises(ValueError):
        fail(3, dask_key_name="fail-3").compute(scheduler=scheduler)
    (record,) = kept.said("plait")
    assert record.levelno == logging.ERROR
    assert record.task == "fail-3"
    assert "fail-3" in record.getMessage()
    assert "ValueError: no 3" in record.getMessage()
    assert record.exc_info[0] is ValueError


def test_a_failure_is_logged_when_it_happens(kept):
    seen = []

    @delayed
    def look(_):
        seen.extend(kept.said("plait"))

    failed = fail(1)
    pair = delayed([failed, look(1)])
    with pytest.raises(ValueError):
        pair.compute(scheduler="sync")
    assert len(seen) == 1


def test_each_failure_is_logged(kept, scheduler):
    with pytest.raises(ValueError):
        plait.compute(*[fail(i) for i in range(20)], scheduler=scheduler)
    assert len(kept.said("plait")) == 20


def test_what_was_tried_again_and_worked_is_no_error(kept, scheduler):
    tries = []

    @delayed(retries=2)
    def third_time():
        tries.append(1)
        if len(tries) < 3:
            raise ValueError
        return "lucky"

    assert third_time().compute(scheduler=scheduler) == "lucky"
    assert not kept.said("plait")


# ---- the C library's lines ----


def test_lines_of_c_are_records(kept, scheduler):
    say_in_c("grüß\tGott 100 %s", dask_key_name="say").compute(
        scheduler=scheduler)
    (record,) = kept.said("plait")
    assert record.getMessage() == "grüß\tGott 100 %s"
    assert record.levelname == "INFO"
    assert record.task == "say"
    assert record.processName == "MainProcess"
    thread = {"sync": "MainThread", "threads": "plait-"}[scheduler]
    assert record.threadName.startswith(thread)


def test_lines_of_c_heed_levels(kept):
    logger = logging.getLogger("plait")
    logger.setLevel(logging.WARNING)
    try:
        say_in_c("hushed").compute()
        logger.setLevel(logging.DEBUG)
        delayed(say)("low", logging.DEBUG).compute()
        logging.disable(logging.DEBUG)
        delayed(say)("disabled", logging.DEBUG).compute()
    finally:
        logging.disable(logging.NOTSET)
        logger.setLevel(logging.NOTSET)
    assert [one.getMessage() for one in kept.said("plait")] == ["low"]


def test_bytes_that_are_no_text_are_shown(kept):
    LIBRARY.plait_log(None, logging.INFO, b"%s", b"caf\xe9")
    assert kept.said("plait")[-1].getMessage() == "caf\\xe9"


# ---- handlers ----


class Trouble(logging.Handler):
    """Does what a handler had better not do."""

    def __init__(self, act):
        super().__init__()
        self.act = act
        self.busy = threading.local()

    def handle(self, record):
        if getattr(self.busy, "now", False):
            return
        self.busy.now = True
        try:
            self.act(record)
        finally:
            self.busy.now = False


def raise_something(record):
    raise RuntimeError("the handler is broken")


def log_something(record):
    logging.getLogger("handler").info("saw %s", record.getMessage())


def compute_something(record):
    assert delayed(operator.add)(1, 2).compute(scheduler="threads") == 3
    assert delayed(operator.add)(1, 2).compute(scheduler="sync") == 3


def sleep_a_while(record):
    threading.Event().wait(0.002)


ACTS = [raise_something, log_something, compute_something, sleep_a_while]


@pytest.fixture(params=ACTS)
def trouble(request):
    """A handler in front of the one that keeps."""
    handler = Trouble(request.param)
    logger = logging.getLogger("plait")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


def test_no_handler_loses_lines_of_c(kept, scheduler, trouble):
    texts = [f"line {number}" for number in range(50)]
    values = plait.compute(*map(say_in_c, texts), scheduler=scheduler)
    assert list(values) == texts
    said = [one.getMessage() for one in kept.said("plait")]
    assert sorted(said) == sorted(texts)


def test_no_handler_loses_failures(kept, scheduler, trouble):
    with pytest.raises(ValueError, match="no 0"):
        plait.compute(*map(fail, range(50)), scheduler=scheduler)
    assert len(kept.said("plait")) == 50


def test_a_filter_that_raises_loses_nothing(kept, scheduler):
    logger = logging.getLogger("plait")
    logger.addFilter(raise_something)
    try:
        say_in_c("all the same").compute(scheduler=scheduler)
    finally:
        logger.removeFilter(raise_something)
    assert [one.getMessage() for one in kept.said("plait")] == [
        "all the same"]


def test_an_interrupt_in_a_handler_is_not_swallowed(kept, scheduler):
    """A Ctrl-C that comes while a failure is logged."""
    def act(record):
        raise KeyboardInterrupt

    logger = logging.getLogger("plait")
    handler = Trouble(act)
    logger.addHandler(handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            fail(1).compute(scheduler=scheduler)
        with pytest.raises(KeyboardInterrupt):
            tasks = [say_in_c("a line"), delayed(threading.Event().wait)(5)]
            plait.compute(*tasks, scheduler=scheduler)
    finally:
        logger.removeHandler(handler)


def test_lines_of_tasks_stand_in_one_file(tmp_path):
    done = run_program(tmp_path, """\
import ctypes, logging
import plait
from plait import delayed
plait.log_fields()
logging.basicConfig(filename="one.log", level=logging.INFO,
                    format="[%(threadName)s] %(name)s %(task)s: %(message)s")
library = ctypes.CDLL("libplait.so.0")
@delayed
def both(i):
    logging.getLogger("mine").info("python %d", i)
    library.plait_log(None, 20, b"%s", b"c %d" % i)
plait.compute(*[both(i, dask_key_name=f"both-{i}") for i in range(100)])
lines = open("one.log").read().splitlines()
assert all(line.startswith("[plait-") for line in lines)
texts = sorted(line.split("] ")[1] for line in lines)
assert texts == sorted([f"mine both-{i}: python {i}" for i in range(100)]
                       + [f"plait both-{i}: c {i}" for i in range(100)]), texts
""")
    assert done.returncode == 0, done.stderr
