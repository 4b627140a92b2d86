#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_guide ROOT LIBRARY -- COMPILER…: every whole program in README.md and
docs/ compiles without a warning, runs, and prints what is written below it.

A whole program is a ```c block with a main. When the next block is ```text, it
is the expected output. Programs run in an empty folder, with no arguments."""

import glob
import os
import re
import subprocess
import sys
import tempfile

FLAGS = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 20


def programs(path):
    """Yields the line, the text and the expected output (or None)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    blocks = list(BLOCK.finditer(text))
    for block, after in zip(blocks, blocks[1:] + [None]):
        if block[1] != "c" or "int main(" not in block[2]:
            continue
        line = text.count("\n", 0, block.start()) + 1
        expected = after[2] if after and after[1] == "text" else None
        yield line, block[2], expected


def run(root, library, compiler, text, expected):
    """Returns what went wrong, "" when nothing did."""
    folder = os.path.dirname(library)
    with tempfile.TemporaryDirectory() as place:
        source, program = place + "/program.c", place + "/program"
        with open(source, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run(
            compiler + FLAGS + ["-I", root + "/include", source, "-o",
                                program, library, "-Wl,-rpath," + folder,
                                "-lm", "-pthread"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            encoding="utf-8")
        if done.returncode:
            return done.stdout
        empty = place + "/empty"
        os.mkdir(empty)
        try:
            done = subprocess.run(
                [program], cwd=empty, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                encoding="utf-8", timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return f"no end after {SECONDS} seconds"
    if done.returncode:
        return f"exit status {done.returncode}\n{done.stdout}{done.stderr}"
    if expected is not None and done.stdout != expected:
        return f"expected:\n{expected}printed:\n{done.stdout}"
    return ""


def main(root, library, compiler):
    paths = [root + "/README.md"] + sorted(
        glob.glob(root + "/docs/**/*.md", recursive=True))
    count = failed = 0
    for path in paths:
        for line, text, expected in programs(path):
            count += 1
            wrong = run(root, os.path.abspath(library), compiler, text,
                        expected)
            failed += bool(wrong)
            name = f"{os.path.relpath(path, root)} line {line}"
            print(f"{'not ok' if wrong else 'ok'} {count} - {name}")
            print("".join(f"# {said}\n" for said in wrong.splitlines()),
                  end="", flush=True)
    print(f"1..{count}")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[4:]))
