# SPDX-License-Identifier: BSD-3-Clause
"""Delayed calls and the process: Ctrl-C, fork, exit, sub-interpreters.

Each program runs in an interpreter of its own.
"""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

START = """
import os, sys, time, threading
from plait import _core
from plait.delayed import delayed

@delayed
def increase(x):
    return x + 1

def spin(seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass

def say(*words):
    print(*words, flush=True)
"""


def program(text):
    return [sys.executable, "-X", "faulthandler", "-c",
            textwrap.dedent(START) + textwrap.dedent(text)]


def run(text, **options):
    return subprocess.run(program(text), capture_output=True, text=True,
                          timeout=60, **options)


def printed(text):
    done = run(text)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.split()


# ---- Ctrl-C ----

WHAT = {
    "python": "[delayed(spin)() for _ in range(4)]",
    "nested": "[delayed(nested)() for _ in range(3)]",
    "calls of C": "[delayed(min)(1, 2) for _ in range(3_000_000)]",
    "sleep": "[delayed(time.sleep)(2) for _ in range(4)]",
}


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
@pytest.mark.parametrize("what", WHAT)
def test_an_interrupt_ends_the_computation(what, scheduler):
    text = f"""
    def nested():
        return _core.compute([delayed(spin)()], scheduler="threads")

    tasks = {WHAT[what]}
    say("begin")
    try:
        _core.compute(tasks, scheduler="{scheduler}")
    except KeyboardInterrupt:
        say("interrupted")
    say(*_core.compute([increase(1)], scheduler="{scheduler}"))
    """
    with subprocess.Popen(program(text), stdout=subprocess.PIPE,
                          text=True) as child:
        assert child.stdout.readline() == "begin\n"
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)
    assert out.split() == ["interrupted", "2"]


def test_a_handler_of_a_signal_runs_while_the_caller_waits():
    assert printed(
        """
        import signal
        seen = threading.Event()
        signal.signal(signal.SIGUSR1, lambda *args: seen.set())

        def wait():
            os.kill(os.getpid(), signal.SIGUSR1)
            return seen.wait(30)

        say(*_core.compute([delayed(wait)()], scheduler="threads"))
        """
    ) == ["True"]


# ---- fork ----


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
def test_a_forked_child_computes(scheduler):
    assert printed(
        f"""
        import warnings
        warnings.simplefilter("ignore")
        tasks = [increase(i) for i in range(100)]
        before = _core.compute(tasks, scheduler="{scheduler}")
        child = os.fork()
        if child == 0:
            same = _core.compute(tasks, scheduler="{scheduler}") == before
            os._exit(0 if same else 1)
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        say(_core.compute(tasks, scheduler="{scheduler}") == before)
        """
    ) == ["0", "True"]


def test_a_task_of_a_forked_child_is_timed_out():
    assert printed(
        """
        import logging, warnings
        logging.disable()
        warnings.simplefilter("ignore")

        def late():
            try:
                _core.compute([delayed(spin, timeout=0.05)()])
            except TimeoutError:
                return 0

        late()
        child = os.fork()
        if child == 0:
            os._exit(late())
        say(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
    ) == ["0"]


# ---- exit ----


@pytest.mark.parametrize(
    "task", ["delayed(time.sleep)(60)", "delayed(spin)()", "increase(1)"]
)
def test_exit_while_tasks_run(task):
    assert printed(
        f"""
        run = _core.start([{task} for _ in range(8)])
        time.sleep(0.05)
        say("end")
        """
    ) == ["end"]


def test_exit_with_pools_and_runs_in_cycles():
    assert printed(
        """
        pool = _core.open_executor("threads", 3)
        run = _core.start([increase(1)], executor=pool)
        keep = [run, pool]
        keep.append(keep)
        say(*run.result())
        """
    ) == ["2"]


def test_an_exception_ends_the_program_as_usual():
    done = run("_core.compute([delayed(int)('x')])")
    assert done.returncode == 1
    assert "ValueError: invalid literal" in done.stderr
    assert "in task int('x')" in done.stderr
    assert "Fatal" not in done.stderr


# ---- importing ----


def test_importing_starts_nothing_and_imports_little():
    assert printed(
        """
        heavy = {"numpy", "dask", "cloudpickle", "pandas", "asyncio"}
        say(threading.active_count(), len(heavy & set(sys.modules)))
        """
    ) == ["1", "0"]


def test_a_sub_interpreter_is_refused():
    text = """
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        import _interpreters as interpreters
    made = interpreters.create()
    code = '''
    try:
        import plait
    except ImportError as error:
        print(error, flush=True)
    '''
    import inspect
    interpreters.run_string(made, inspect.cleandoc(code))
    """
    done = run(text)
    # ours, or that of a Python whose interpreters have a lock each
    assert "interpreter" in done.stdout, done.stderr


def test_a_second_module_of_that_name():
    assert printed(
        """
        for name in [name for name in sys.modules if name[:5] == "plait"]:
            del sys.modules[name]
        from plait import _core as again
        from plait.delayed import delayed as once_more
        assert again is not _core
        say(*again.compute([once_more(abs)(-1)]), *_core.compute([increase(0)]))
        """
    ) == ["1", "1"]


def test_worker_threads_are_python_s():
    assert printed(
        """
        where = delayed(lambda: threading.current_thread().daemon)
        say(*_core.compute([where() for _ in range(3)]))
        """
    ) == ["True"] * 3
