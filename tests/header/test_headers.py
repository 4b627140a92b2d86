#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""test_headers INCLUDE: each public header compiles alone, and twice in one
file, as C11, C23 and C++17, with all warnings, by each compiler that is here.
And what must not compile says why."""

import glob
import os
import shutil
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
            "-Wundef", "-Werror"]
COMPILERS = [("gcc", "c11"), ("gcc", "c2x"), ("g++", "c++17"),
             ("clang-14", "c11"), ("clang-14", "c2x"),
             ("clang++-14", "c++17")]

USE = """#include <plait/plait.h>
plait_value f(plait_context *ctx, const plait_value *args, size_t n);
plait_task use(plait_graph *g, plait_task task, int *pointer);
plait_task use(plait_graph *g, plait_task task, int *pointer)
{
    (void)task, (void)pointer;
    return %s;
}
"""

# name, expression, text of the compiler's error; None: it compiles
USES = [
    ("no argument", "plait_delayed(g, f)", None),
    ("every kind of argument",
     'plait_delayed(g, f, true, 1, 1u, 1L, 1UL, 1LL, 1ULL, 1.5f, 1.5, "text",'
     " task, plait_nil(), (char)1, (short)1, (unsigned char)1)", None),
    ("16 arguments",
     "plait_delayed(g, f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,"
     " 16)", None),
    ("17 arguments",
     "plait_delayed(g, f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,"
     " 16, 17)", "use plait_call"),
    ("a plain pointer", "plait_delayed(g, f, pointer)", "use plait_object"),
]


def compile_text(compiler, standard, include, text, *flags):
    """Returns whether it compiles, and what the compiler said. Compiles
    fully: some errors come only with code."""
    language = "c++" if "++" in compiler else "c"
    done = subprocess.run(
        [compiler, "-x", language, f"-std={standard}", *WARNINGS, *flags,
         "-I", include, "-S", "-o", os.devnull, "-"],
        input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8")
    return done.returncode == 0, done.stdout


def header_cases(include):
    for path in sorted(glob.glob(os.path.join(include, "plait", "*.h"))):
        name = os.path.relpath(path, include)
        text = f"#include <{name}>\n#include <{name}>\n"
        for compiler, standard in COMPILERS:
            if shutil.which(compiler):
                good, said = compile_text(compiler, standard, include, text)
                yield f"{name} {compiler} {standard}", good, said


def use_cases(include):
    for name, expression, wanted in USES:
        for compiler, standard in COMPILERS:
            if not shutil.which(compiler):
                continue
            good, said = compile_text(compiler, standard, include,
                                      USE % expression)
            passed = good if wanted is None else not good and wanted in said
            yield f"{name} {compiler} {standard}", passed, said


def main(include):
    failed = count = 0
    for case in (header_cases, use_cases):
        for name, passed, said in case(include):
            count += 1
            failed += not passed
            print(f"{'ok' if passed else 'not ok'} {count} - {name}")
            if not passed:
                print("".join(f"# {line}\n" for line in said.splitlines()),
                      end="")
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
