#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_command.py: what plait run and plait info print, write and return."""

import base64
import json
import os
import re
import shutil
import stat
import subprocess

from command import (LIBRARIES, MODES, PLAIT, contains, equal, main, plait,
                     refuses, succeeds)


# ---- the command itself ----

def test_version():
    done = plait("--version")
    assert re.fullmatch(r"plait \d+\.\d+\.\d+\n", done.stdout), done.stdout
    equal(done.returncode, 0)


def test_help():
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["run", "-h"],
                      ["info", "--help"]):
        done = plait(*arguments)
        equal((done.returncode, done.stderr), (0, ""))
        contains(done.stdout, "usage: plait")


def test_help_names_every_option():
    text = plait("run", "--help").stdout
    contains(text, "--scheduler", "--workers", "--address", "--log",
             "--log-level", "--progress", "--collect", "--stop", "--retries",
             "--timeout", "--trace", "--graph", "--dry-run", "--json")


def test_no_command():
    done = plait()
    equal((done.returncode, done.stdout), (2, ""))
    contains(done.stderr, "usage: plait")


def test_unknown_command():
    refuses(plait("walk"), "unknown command walk")
    refuses(plait("--walk"), "unknown command --walk")


def test_info():
    done = plait("info")
    equal((done.returncode, done.stderr), (0, ""))
    assert re.search(r"^CPUs: [1-9]", done.stdout, re.M), done.stdout
    assert re.search(r"^  sync +available$", done.stdout, re.M), done.stdout
    assert re.search(r"^  threads +available \(default\)$", done.stdout, re.M)
    for name in ("processes", "distributed"):
        assert re.search(rf"^  {name} +not available: \w", done.stdout, re.M)
    refuses(plait("info", "x"), "info takes no arguments: x")


def test_full_output_is_told():
    for arguments in (["info"], ["--version"], ["run", MODES, "echo", "x"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PLAIT, *arguments], stdout=full,
                                  stderr=subprocess.PIPE, encoding="utf-8")
        equal(done.returncode, 1)
        contains(done.stderr, "standard output: No space left on device")


# ---- options ----

def test_bad_options():
    run = lambda *arguments: plait("run", *arguments, MODES, "echo", "x")
    refuses(run("--nonsense"), "unknown option --nonsense")
    refuses(run("-z"), "unknown option -z")
    refuses(run("--json=1"), "--json takes no value")
    refuses(plait("run", "--workers"), "--workers needs a value")
    refuses(run("--workers", "0"), "--workers 0", "from 1 to 1024")
    for bad in ("1025", "-1", "two", "", "2x", "99999999999999999999", " 1"):
        refuses(run("--workers", bad), "--workers", "from 1 to 1024")
    for bad in ("-1", "x", "1.5"):
        refuses(run("--retries", bad), "--retries " + bad)
    for bad in ("0", "-1", "nan", "inf", "", "1s", "1e300"):
        refuses(run("--timeout", bad), "--timeout", "seconds")
    refuses(run("--log-level", "loud"), "--log-level loud", "critical")
    refuses(run("--collect", "--stop"), "exclude each other")
    refuses(run("--log", ""), "--log", "empty")
    refuses(run("--log", "/nonexistent/x.log"), "/nonexistent/x.log",
            "No such file")
    refuses(run("--trace", "/nonexistent/x.json"), "/nonexistent/x.json",
            "No such file")


def test_schedulers():
    for name in ("sync", "threads"):
        succeeds(plait("run", "--scheduler", name, MODES, "echo", "x"), "x\n")
    for name in ("processes", "distributed"):
        refuses(plait("run", "--scheduler", name, MODES, "echo", "x"), name)
        refuses(plait("run", "--scheduler=" + name, "--address", "tcp://x:1",
                      MODES, "echo", "x"), name)
    refuses(plait("run", "--scheduler", "magic", MODES, "echo"), "magic")


def test_the_environments_scheduler():
    environment = dict(os.environ, PLAIT_SCHEDULER="sync")
    contains(plait("info", env=environment).stdout, "sync         available "
             "(default)")
    succeeds(plait("run", MODES, "echo", "x", env=environment), "x\n")


def test_what_follows_the_library_is_the_pipelines():
    succeeds(plait("run", "--workers", "2", MODES, "arguments", "-a", "1",
                   "-b", "--", "--workers", "x"),
             f"{MODES} 8 -a1 -b --workers x\n")


def test_two_dashes_end_the_options():
    shutil.copy(MODES, "--modes.so")
    succeeds(plait("run", "--", "--modes.so", "echo", "x"), "x\n")


# ---- libraries ----

def test_no_library():
    refuses(plait("run"), "no library")
    refuses(plait("run", "--json"), "no library")
    refuses(plait("run", ""), "empty")


def test_a_name_without_a_slash_is_here():
    shutil.copy(MODES, "here.so")
    succeeds(plait("run", "here.so", "echo", "x"), "x\n")


def test_hostile_libraries():
    refuses(plait("run", "missing.so"), "cannot load missing.so: ",
            "No such file")
    refuses(plait("run", "/"), "/")
    with open("text.so", "w") as file:
        file.write("I am no library\n" * 100)
    refuses(plait("run", "text.so"), "cannot load text.so: ")
    open("empty.so", "w").close()
    refuses(plait("run", "empty.so"), "cannot load empty.so: ")
    with open(MODES, "rb") as whole, open("half.so", "wb") as half:
        half.write(whole.read()[:1500])
    refuses(plait("run", "half.so"),
            "cannot load half.so: the file is cut short")
    refuses(plait("run", LIBRARIES["unresolved.so"]), "nobody_has_this")
    refuses(plait("run", LIBRARIES["nothing.so"]), "has no plait_pipeline")
    os.mkdir("new\nline")
    shutil.copy("text.so", "new\nline/x.so")
    refuses(plait("run", "new\nline/x.so"), "new\\nline/x.so")


def test_a_second_libplait_is_refused():
    library = LIBRARIES["stranger.so"]
    refuses(plait("run", library), library, "another libplait", "libplait.so")


def test_hostile_pipelines():
    refuses(plait("run", MODES), "there is no mode \"\"")
    refuses(plait("run", MODES, "a\nb"), "there is no mode \"a\\nb\"")
    refuses(plait("run", MODES, "none"), "returned no task")
    refuses(plait("run", MODES, "foreign"), "graph")


def test_a_task_that_returns_a_reference():
    done = plait("run", MODES, "reference")
    equal((done.returncode, done.stdout), (1, ""))
    contains(done.stderr, "plait: reference-0: ", "reference")


# ---- results ----

def test_results():
    succeeds(plait("run", MODES, "sum", "1", "2", "3"), "12\n")
    succeeds(plait("run", "--json", MODES, "sum", "20", "1"), "42\n")
    succeeds(plait("run", MODES, "echo", "two\nlines"), "two\nlines\n")
    succeeds(plait("run", MODES, "echo", "one line\n"), "one line\n")
    succeeds(plait("run", MODES, "echo", ""), "\n")
    succeeds(plait("run", "--json", MODES, "echo", "two\nlines"),
             '"two\\nlines"\n')


def test_json():
    done = plait("run", "--json", MODES, "everything")
    equal((done.returncode, done.stderr), (0, ""))
    value = json.loads(done.stdout)
    equal(list(value), ["list", "3"])
    equal(value["3"], [])
    items = value["list"]
    equal(items[:6], [None, True, -2 ** 63, 0.1, 1e300, 3.0])
    equal(type(items[5]), float)
    equal(items[6:8], [None, None])
    equal(os.fsencode(items[8]), b'"\\\n\x01\xff \xc5\xbc')
    equal(base64.b64decode(items[9]), b"\0\xffhello")
    equal(items[10], "")
    equal(items[11], {"type": "modes.point", "text": "(0, 1.5)"})


def test_everything_as_text():
    done = plait("run", MODES, "everything")
    equal((done.returncode, done.stderr), (0, ""))
    contains(done.stdout, "(0, 1.5)", str(-2 ** 63))


# ---- failures ----

BROKEN = ("plait: broken-0: cannot read a\\nb.csv\n"
          "plait: broken-1: cannot read c.csv\n")


def test_each_failure_is_a_line():
    for scheduler in ("sync", "threads"):
        done = plait("run", "--scheduler", scheduler, MODES, "broken")
        equal((done.returncode, done.stdout, done.stderr), (1, "", BROKEN))


def test_handled_failures_are_told_too():
    done = plait("run", MODES, "handled")
    equal((done.returncode, done.stdout, done.stderr), (1, "2\n", BROKEN))


def test_collect():
    done = plait("run", "--collect", "--json", MODES, "broken")
    equal((done.returncode, done.stderr), (1, BROKEN))
    value = json.loads(done.stdout)
    equal(set(value), {"error", "task", "message"})
    equal(value["error"], "PLAIT_ETASK")
    contains(value["message"], "cannot read a\nb.csv")
    done = plait("run", "--collect", MODES, "sum", "1")
    succeeds(done, "2\n")


def test_stop():
    done = plait("run", "--stop", "--workers", "1", MODES, "broken")
    equal((done.returncode, done.stdout), (1, ""))
    equal(len(done.stderr.splitlines()), 1)
    contains(done.stderr, "plait: broken-")


def test_retries():
    done = plait("run", MODES, "second")
    equal((done.returncode, done.stderr), (1, "plait: second_time-0: not yet\n"))
    succeeds(plait("run", "--retries", "1", MODES, "second"), "at last\n")


def test_timeout():
    for scheduler in ("sync", "threads"):
        done = plait("run", "--scheduler", scheduler, "--timeout", "0.05",
                     MODES, "obedient")
        equal((done.returncode, done.stdout), (1, "begun\n"))
        contains(done.stderr, "plait: obedient-0: ")
        equal(len(done.stderr.splitlines()), 1)


# ---- files ----

def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def test_log():
    succeeds(plait("run", "--log", "run.log", MODES, "say", "a\nb"), "nil\n")
    equal(stat.S_IMODE(os.stat("run.log").st_mode), 0o600)
    lines = lines_of("run.log")
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[[\w-]+\] "
                        r"[A-Z]+ plait: ", line), line
    assert any(line.endswith(" INFO plait: loudly: a\\nb") for line in lines)
    assert not any("quietly" in line for line in lines)


def test_log_level():
    plait("run", "--log", "run.log", "--log-level", "Debug", MODES, "say", "x")
    assert any("DEBUG plait: quietly: x" in line
               for line in lines_of("run.log"))
    plait("run", "--log", "quiet.log", "--log-level", "warning", MODES, "say",
          "x")
    equal(lines_of("quiet.log"), [])


def test_failures_are_logged():
    plait("run", "--log", "run.log", MODES, "broken")
    errors = [line for line in lines_of("run.log") if " ERROR " in line]
    equal(len([e for e in errors if "cannot read a\\nb.csv" in e]), 1)
    equal(len([e for e in errors if "cannot read c.csv" in e]), 1)


def test_a_full_disk_loses_the_run_nothing():
    done = plait("run", "--log", "/dev/full", MODES, "say", "x")
    equal((done.returncode, done.stdout), (0, "nil\n"))
    equal(len(done.stderr.splitlines()), 1)
    contains(done.stderr, "/dev/full", "could not be written",
             "No space left on device")


def test_trace():
    succeeds(plait("run", "--trace", "run.json", MODES, "sum", "1", "2"),
             "6\n")
    with open("run.json", encoding="utf-8") as file:
        trace = json.load(file)
    events = trace["traceEvents"] if isinstance(trace, dict) else trace
    names = [event.get("name") for event in events if event.get("ph") == "X"]
    equal(sorted(names), ["sum-0", "twice-0", "twice-1"])


def test_a_full_disk_for_the_trace():
    done = plait("run", "--trace", "/dev/full", MODES, "sum", "1")
    equal((done.returncode, done.stdout), (1, "2\n"))
    contains(done.stderr, "cannot write the trace", "No space left")


def test_graph():
    succeeds(plait("run", "--graph", "run.dot", MODES, "sum", "1", "2"),
             "6\n")
    contains("\n".join(lines_of("run.dot")), "digraph", "twice-1", "sum-0")


def test_a_graph_that_cannot_be_drawn():
    done = plait("run", "--graph", "/nonexistent/x.dot", MODES, "sum", "1")
    equal((done.returncode, done.stdout), (1, "2\n"))
    contains(done.stderr, "cannot draw the graph")


def test_the_graph_of_a_failed_run():
    done = plait("run", "--graph", "run.dot", MODES, "broken")
    equal((done.returncode, done.stderr), (1, BROKEN))
    contains("\n".join(lines_of("run.dot")), "broken-0")


def test_dry_run():
    done = plait("run", "--dry-run", "--trace", "no.json", MODES, "sleeps", "3")
    equal((done.returncode, done.stderr), (0, ""))
    contains(done.stdout, "digraph", "sleeps-2", "sum-0")
    assert "begun" not in done.stdout
    succeeds(plait("run", "--dry-run", "--graph", "plan.dot", MODES, "sleeps"),
             "")
    contains("\n".join(lines_of("plan.dot")), "sleeps-0")
    equal(os.listdir(), ["plan.dot"])


def test_progress():
    done = plait("run", "--progress", MODES, "sum", "1", "2")
    equal((done.returncode, done.stdout), (0, "6\n"))
    contains(done.stderr, "3/3")


main(globals())
