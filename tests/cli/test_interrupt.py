#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_interrupt.py: Ctrl-C ends plait run, whatever its tasks do, and says
which were running. Tasks here never end by themselves. How long it took is
printed, and not judged: the machine may be busy."""

import json
import os
import pty
import signal
import subprocess
import time

from command import MODES, PLAIT, contains, equal, main


class Running:
    """plait run, whose tasks have begun."""

    def __init__(self, *arguments, begun=1, **more):
        self.process = subprocess.Popen(
            [PLAIT, "run", *arguments], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        for _ in range(begun):
            equal(self.process.stdout.readline(), b"begun\n")

    def end(self, number=signal.SIGINT):
        """Sends the signal; the exit status, and the words."""
        began = time.monotonic()
        self.process.send_signal(number)
        status = self.process.wait(60)
        say_since(began)
        words = self.process.stderr.read().decode()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, words


def say_since(began):
    print(f"# {1000 * (time.monotonic() - began):.0f} ms")


def stops(mode, scheduler, running):
    equal(Running("--scheduler", scheduler, MODES, mode).end(),
          (130, f"plait: interrupted; running: {running}\n"))


def test_sleeping():
    stops("sleeps", "threads", "sleeps-0")
    stops("sleeps", "sync", "sleeps-0")


def test_spinning():
    stops("spins", "threads", "spins-0")
    stops("spins", "sync", "spins-0")


def test_ignoring_the_signals():
    stops("ignores", "threads", "ignores-0")
    stops("ignores", "sync", "ignores-0")


def test_unblocking_the_signals():
    stops("unblocks", "threads", "unblocks-0")
    stops("unblocks", "sync", "unblocks-0")


def test_holding_the_streams():
    stops("holds", "threads", "holds-0")
    stops("holds", "sync", "holds-0")


def test_many_at_once():
    status, words = Running("--workers", "20", MODES, "spins", "30",
                            begun=20).end()
    equal(status, 130)
    contains(words, "spins-0", " and 4 more")


def test_terminated():
    equal(Running(MODES, "spins").end(signal.SIGTERM),
          (143, "plait: terminated; running: spins-0\n"))


def test_a_task_may_clean_up():
    status, words = Running(MODES, "obedient", "cleaned").end()
    equal((status, words), (130, "plait: interrupted; running: obedient-0\n"))
    assert os.path.exists("cleaned")


def test_before_there_is_a_run():
    status, words = Running(MODES, "waits").end()
    equal((status, words), (130, "plait: interrupted\n"))


def test_log_and_trace_are_written():
    status, _ = Running("--log", "run.log", "--trace", "run.json", MODES,
                           "spins").end()
    equal(status, 130)
    with open("run.log", encoding="utf-8") as file:
        contains(file.read(), "WARNING plait: interrupted; running: spins-0\n")
    with open("run.json", encoding="utf-8") as file:
        json.load(file)


def full_pipe():
    """Both ends of a pipe that takes no more."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while os.write(writing, b"x" * 65536):
            pass
    except BlockingIOError:
        os.set_blocking(writing, True)
    return reading, writing


def test_nobody_reads_what_it_says():
    reading, writing = full_pipe()
    process = subprocess.Popen([PLAIT, "run", MODES, "spins"],
                               stdout=subprocess.PIPE, stderr=writing)
    equal(process.stdout.readline(), b"begun\n")
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    equal(process.wait(60), 130)
    say_since(began)
    process.stdout.close()
    os.close(reading)
    os.close(writing)


def read_all(terminal):
    text = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the last one that had it open is gone
            return text
        if not part:
            return text
        text += part


def test_on_a_terminal():
    child, terminal = pty.fork()
    if child == 0:
        os.execv(PLAIT, [PLAIT, "run", "--progress", MODES, "ignores"])
    text = b""
    while b"begun" not in text:
        text += os.read(terminal, 4096)
    began = time.monotonic()
    os.write(terminal, b"\x03")
    text = read_all(terminal)
    _, status = os.waitpid(child, 0)
    say_since(began)
    os.close(terminal)
    equal(os.waitstatus_to_exitcode(status), 130)
    contains(text.decode(), "\nplait: interrupted; running: ignores-0")


main(globals())
