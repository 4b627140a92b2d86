#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Checks a model with Spin: all of its states, or, with --fails, that an error
is found in them.

    check_model.py SPIN CC MODEL [--fails] [-DNAME[=VALUE]...]
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

MEGABYTES = 900
DEPTH = 200000


def run(command, folder):
    done = subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def verify(spin, cc, model, defines, folder):
    """What the verifier said, and how many errors it found."""
    for command in ([spin, '-a', *defines, model],
                    [cc, '-O1', '-w', '-DSAFETY', '-DCOLLAPSE',
                     f'-DMEMLIM={MEGABYTES}', '-o', 'pan', 'pan.c']):
        status, said = run(command, folder)
        if status != 0 or 'Error:' in said:
            sys.exit(f'{" ".join(command)}:\n{said}')
    _, said = run(['./pan', f'-m{DEPTH}'], folder)
    errors = re.search(r'errors: (\d+)', said)
    if not errors or 'Search not completed' in said and errors[1] == '0':
        sys.exit(f'the search was cut short:\n{said}')
    return said, int(errors[1])


def main():
    spin, cc, model, *rest = sys.argv[1:]
    defines = [word for word in rest if word.startswith('-D')]
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(model, folder)
        model = pathlib.Path(model).name
        said, errors = verify(spin, cc, model, defines, folder)
        print(said)
        if '--fails' in rest:
            sys.exit('no error was found in a broken model' if not errors else 0)
        if errors:
            _, trail = run([spin, '-t', '-p', '-g', '-r', *defines, model],
                           folder)
            print(trail)
        sys.exit(1 if errors else 0)


if __name__ == '__main__':
    main()
