# SPDX-License-Identifier: BSD-3-Clause
"""The lists of Dask's tests: what they say and how a run measures up to them.

A line names a test as pytest does, after a word: `pass`, `both` (it passes,
and Dask's own scheduler may run in it too) or `void` (it doesn't apply). The
latter two need a reason behind a `#`.
"""

from __future__ import annotations

import pathlib

WORDS = ("pass", "both", "void")
HERE = pathlib.Path(__file__).parent


class BadList(Exception):
    """A line that says nothing, or no list at all."""


def find(suite: str, version: str) -> pathlib.Path:
    """The list of a suite, such as ``test_delayed``, for a version of Dask: one
    for that version, or for all."""
    path = HERE / f"{suite}-{version}.txt"
    if not path.exists():
        path = HERE / f"{suite}.txt"
    if not path.exists():
        raise BadList(f"no list for {suite} of Dask {version}: {path.name}")
    return path


def read(path: pathlib.Path) -> dict[str, str]:
    """Names and words, in the order of the list."""
    words: dict[str, str] = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        said, _, reason = line.partition("#")
        word, _, name = said.strip().partition(" ")
        name = name.strip()
        if not word:
            continue
        if word not in WORDS or not name or name in words:
            raise BadList(f"{path.name}:{number}: {line}")
        if word != "pass" and not reason.strip():
            raise BadList(f"{path.name}:{number}: {name}: no reason")
        words[name] = word
    if not words:
        raise BadList(f"{path.name} is empty")
    return words


def problems(words: dict[str, str], found: set[str],
             outcomes: dict[str, str]) -> list[str]:
    """What keeps a run from being one where all that must pass has passed.

    Parameters
    ----------
    words : dict
        The list.
    found : set
        The names of the tests that the suite has.
    outcomes : dict
        What became of each test that ran.
    """
    texts = []
    for name, word in words.items():
        if name not in found:
            texts.append(f"{name}: not in the suite")
        elif word != "void" and outcomes.get(name) != "passed":
            texts.append(f"{name}: {outcomes.get(name, 'deselected')}")
    texts += [f"{name}: not in the list" for name in sorted(found - set(words))]
    return texts
