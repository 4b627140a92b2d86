# SPDX-License-Identifier: BSD-3-Clause
"""Programs as people write them, run as they stand: each way of importing, each
scheduler, and inputs of which two are broken."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

# What comes before a program, and what it then calls `delayed`.
IDIOMS = {
    "from plait": ("from plait import delayed", "delayed"),
    "as dask": ("import plait as dask", "dask.delayed"),
    "from plait.delayed": ("from plait.delayed import delayed, Delayed",
                           "delayed"),
}
# What is said to compute(), and the threads that tasks then run in.
SCHEDULERS = {
    "": "plait-",
    'scheduler="threads"': "plait-",
    'scheduler="sync"': "MainThread",
}
BROKEN = (3, 7)

START = """\
import json
import logging

logging.basicConfig(
    filename="pipeline.log",
    level=logging.INFO,
    format="%(asctime)s [%(threadName)s] %(levelname)s %(name)s: %(message)s",
)
log = logging.getLogger("pipeline")
"""

STAGES = """\
@delayed
def load_data(path):
    log.info("loading %s", path)
    with open(path) as file:
        return file.read().split()

@delayed
def clean_data(df):
    return [int(word) for word in df if word != "?"]

@delayed
def analyze(df):
    log.info("analyzing %d", len(df))
    return sum(df) // len(df)
"""

SUMMARIZE = """\
@delayed
def summarize(results):
    return {"files": len(results), "means": sorted(results)}
"""

PIPELINE = """\
paths = [f"file_{i}.csv" for i in range(10)]

lazy_results = []
for p in paths:
    df = load_data(p)
    clean = clean_data(df)
    res = analyze(clean)
    lazy_results.append(res)

final = summarize(lazy_results)
"""

PRINT = "print(json.dumps(final.compute()))\n"


class Ended:
    """What a program has left behind."""

    def __init__(self, done, folder):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr
        path = folder / "pipeline.log"
        self.log = path.read_text().splitlines() if path.exists() else []

    def printed(self):
        assert self.status == 0, self.err
        return json.loads(self.out)

    def logged(self, text):
        return [line for line in self.log if text in line]


@pytest.fixture
def run(tmp_path):
    """Runs a program in a folder with ten files, some of them broken."""

    def run_it(*parts, idiom="from plait", scheduler="", broken=()):
        for number in range(10):
            text = "?" if number in broken else f"{number} ? {number + 2}"
            (tmp_path / f"file_{number}.csv").write_text(text)
        imports, name = IDIOMS[idiom]
        text = imports + "\n" + "".join(parts)
        text = text.replace("@delayed", "@" + name)
        if scheduler:
            text = text.replace("compute(", f"compute({scheduler}, ")
        (tmp_path / "script.py").write_text(text)
        done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path,
                              capture_output=True, text=True, timeout=60,
                              check=False)
        return Ended(done, tmp_path)

    return run_it


@pytest.fixture(params=IDIOMS)
def idiom(request):
    return request.param


@pytest.fixture(params=SCHEDULERS)
def scheduler(request):
    return request.param


def test_the_pipeline_and_its_one_log(run, idiom, scheduler):
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, PRINT, idiom=idiom,
                scheduler=scheduler)
    assert ended.printed() == {"files": 10, "means": list(range(1, 11))}
    lines = ended.logged(" INFO pipeline: loading ")
    assert sorted(line.split()[-1] for line in lines) == [
        f"file_{number}.csv" for number in range(10)]
    assert all(f"[{SCHEDULERS[scheduler]}" in line for line in lines)
    assert len(ended.log) == 20


@pytest.mark.parametrize("place", range(4))
def test_dask_may_be_imported_too(run, place):
    """Whenever that happens."""
    parts = [START, STAGES, SUMMARIZE, PIPELINE, PRINT]
    parts.insert(place + 1, "import dask.delayed\n")
    assert run(*parts).printed()["files"] == 10


def test_a_failure_is_raised_after_the_rest_has_run(run, idiom, scheduler):
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, PRINT, idiom=idiom,
                scheduler=scheduler, broken=BROKEN)
    assert (ended.status, ended.out) == (1, "")
    assert "ZeroDivisionError" in ended.err
    assert len(ended.logged("INFO pipeline: analyzing")) == 10
    errors = ended.logged(" ERROR plait: ")
    assert len(errors) == len(BROKEN)
    for number in BROKEN:
        assert any(f"file_{number}.csv" in line for line in errors)


def test_a_traceback_is_that_of_the_task(run, scheduler):
    """The line of the script, the line of the task, nothing in between; and
    a note that says where the input came from."""
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, PRINT,
                scheduler=scheduler, broken=BROKEN)
    files = re.findall(r'File ".*?(\w+\.py)", line \d+, in (\S+)', ended.err)
    assert files == [("script.py", "<module>"), ("script.py", "analyze")]
    assert re.search(r"^in task analyze-\S+ ← clean_data-\S+ ← "
                     r"load_data\('file_[37]\.csv'\)$", ended.err, re.M)


def test_on_error_stop_starts_nothing_new(run):
    # In one thread, and in the order of the files.
    ended = run(START, STAGES, SUMMARIZE, PIPELINE,
                'final.compute(scheduler="sync", on_error="stop")\n',
                broken=BROKEN)
    assert "ZeroDivisionError" in ended.err
    assert len(ended.logged("INFO pipeline: analyzing")) < 10
    assert len(ended.logged(" ERROR plait: ")) == 1


SAFE = """\
def analyze_one(df):
    return sum(df) // len(df)

@delayed
def safe_analyze(df, path):
    try:
        result = analyze_one(df)
        return {"path": path, "ok": True, "result": result, "error": None}
    except Exception as e:
        return {"path": path, "ok": False, "result": None, "error": repr(e)}

@delayed
def summarize(results):
    return {"ok": [r["result"] for r in results if r["ok"]],
            "failed": [r["path"] for r in results if not r["ok"]]}

paths = [f"file_{i}.csv" for i in range(10)]

lazy_results = []
for p in paths:
    df = load_data(p)
    clean = clean_data(df)
    res = safe_analyze(clean, p)
    lazy_results.append(res)

final = summarize(lazy_results)
"""
PARTIAL = {"ok": [1, 2, 3, 5, 6, 7, 9, 10],
           "failed": ["file_3.csv", "file_7.csv"]}


def test_partial_success_by_a_safe_task(run, idiom, scheduler):
    ended = run(START, STAGES, SAFE, PRINT, idiom=idiom, scheduler=scheduler,
                broken=BROKEN)
    assert ended.printed() == PARTIAL
    assert not ended.logged("ERROR")


COLLECT = """\
import plait

results = plait.compute(*lazy_results, on_error="collect")
ok, failed = plait.split(results)
assert not any(failed)
assert [bool(result) for result in results].count(False) == 2
print(json.dumps({
    "ok": ok,
    "failed": [failure.sources[0] for failure in failed],
    "skipped": [failure.skipped for failure in failed],
    "names": [type(failure.exception).__name__ for failure in failed],
    "lines": [failure.traceback_text.count("len(df)") for failure in failed],
}))
"""


def test_partial_success_by_collecting(run, scheduler):
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, COLLECT,
                scheduler=scheduler, broken=BROKEN)
    assert ended.printed() == {
        "ok": PARTIAL["ok"],
        "failed": ["load_data('file_3.csv')", "load_data('file_7.csv')"],
        "skipped": [False, False],
        "names": ["ZeroDivisionError"] * 2,
        "lines": [1, 1],
    }


PASS = """\
import plait

@delayed(on_failure="pass")
def summarize(results):
    ok, failed = plait.split(results)
    return {"ok": ok, "failed": [str(f.key).split("-")[0] for f in failed]}
"""


def test_partial_success_by_passing(run, idiom, scheduler):
    ended = run(START, STAGES, PASS, PIPELINE, PRINT, idiom=idiom,
                scheduler=scheduler, broken=BROKEN)
    assert ended.printed() == {"ok": PARTIAL["ok"], "failed": ["analyze"] * 2}


FAILURES = """\
import plait

try:
    final.compute()
except ZeroDivisionError as error:
    failures = [f for f in plait.failures(error) if not f.skipped]
    try:
        plait.debug(failures[0])
    except ZeroDivisionError as again:
        print(json.dumps(sorted(f.sources[0] for f in failures)))
"""


def test_all_failures_are_told_and_one_is_run_again(run, scheduler):
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, FAILURES,
                scheduler=scheduler, broken=BROKEN)
    assert ended.printed() == ["load_data('file_3.csv')",
                               "load_data('file_7.csv')"]
    # ten, and the one that was run again
    assert len(ended.logged("INFO pipeline: analyzing")) == 11


LOST = """\
@delayed
def safe_analyze(df):
    try:
        return {"ok": True, "result": analyze(df)}
    except Exception as e:
        return {"ok": False, "result": repr(e)}

lazy_results = [safe_analyze(load_data(f"file_{i}.csv")) for i in range(3)]

@delayed
def summarize(results):
    return len(results)

final = summarize(lazy_results)
"""


def test_a_delayed_that_nobody_runs_is_told(run, scheduler):
    """`analyze` is delayed itself: inside a task it makes a Delayed."""
    ended = run(START, STAGES, LOST, PRINT, scheduler=scheduler)
    assert ended.printed() == 3
    assert ended.err.count("Warning") == 1
    errors = ended.logged(" ERROR plait: ")
    assert errors and all("safe_analyze" in line for line in errors)


LEAVE = """\
@delayed
def leave(why):
    raise why

print("unfinished", flush=True)
leave({}).compute()
"""


@pytest.mark.parametrize("why, status", [
    ("SystemExit(7)", 7), ("KeyboardInterrupt()", -2)])
def test_what_is_no_exception_ends_the_program(run, scheduler, why, status):
    ended = run(START, LEAVE.format(why), scheduler=scheduler)
    assert (ended.status, ended.out) == (status, "unfinished\n")
    assert not ended.log


FIFTY = """\
import threading
import plait

five = threading.Barrier(5)
lock = threading.Lock()
running = most = 0

def call(number):
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    five.wait(30)
    with lock:
        running -= 1
    return number * number

with plait.ThreadPoolExecutor(max_workers=5) as executor:
    futures = [executor.submit(call, number) for number in range(50)]
print(json.dumps([most, [future.result() for future in futures]]))
"""


def test_fifty_calls_five_at_a_time(run):
    most, results = run(START, FIFTY).printed()
    assert most == 5
    assert results == [number * number for number in range(50)]


WATCHED = """\
import plait

run = plait.start(final)
assert run.wait(30)
print(json.dumps([run.result(final), run.state(final),
                  [run.state(task) for task in lazy_results]]))
"""


def test_a_run_is_watched(run):
    result, state, states = run(START, STAGES, SUMMARIZE, PIPELINE,
                                WATCHED).printed()
    assert (result["files"], state, states) == (10, "done", ["done"] * 10)


AWAITED = """\
import asyncio
import plait

async def main():
    one, two = await asyncio.gather(plait.acompute(final),
                                    plait.acompute(final))
    assert one == two
    print(json.dumps(one))

asyncio.run(main())
"""


def test_a_result_is_awaited(run):
    ended = run(START, STAGES, SUMMARIZE, PIPELINE, AWAITED)
    assert ended.printed()["files"] == 10


OVERLAP = """\
import threading
from plait import delayed

second = threading.Event()

@delayed
def load(number):
    # The last file is loaded only once another is being cleaned.
    if number == 9:
        assert second.wait(30)
    return number

@delayed
def clean(number):
    second.set()
    return number

final = delayed(sum)([clean(load(number)) for number in range(10)])
"""


def test_a_stage_begins_before_the_one_before_it_has_ended(run):
    ended = run(START, OVERLAP, 'print(json.dumps(final.compute('
                'num_workers=2)))\n')
    assert ended.printed() == 45
