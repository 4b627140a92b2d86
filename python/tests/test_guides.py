# SPDX-License-Identifier: BSD-3-Clause
"""Every Python program in the guides and the README runs as it stands, on each
scheduler, and prints what is written below it.

A ```python block is a whole program. When the next block is ```text, it is the
expected output. Programs run in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs/guide").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs():
    """Parameters: the text, and the expected output (or None)."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = list(BLOCK.finditer(text))
        for block, after in zip(blocks, [*blocks[1:], None]):
            if block[1] != "python":
                continue
            line = text.count("\n", 0, block.start()) + 1
            expected = after[2] if after and after[1] == "text" else None
            yield pytest.param(block[2], expected, id=f"{page.stem}-{line}")


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
@pytest.mark.parametrize("text, expected", list(programs()))
def test_program(text, expected, scheduler, tmp_path):
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False,
        env=dict(os.environ, PLAIT_SCHEDULER=scheduler))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    if expected is not None:
        assert done.stdout == expected


def test_each_guide_has_programs():
    with_programs = {param.id.rsplit("-", 1)[0] for param in programs()}
    guides = {page.stem for page in PAGES if page.stem.startswith("python")}
    assert guides and guides <= with_programs
