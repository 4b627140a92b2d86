# SPDX-License-Identifier: BSD-3-Clause
"""Loading libraries, and what is wrong with some."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

import plait
from c_library import ROOT, build, give


def test_a_library_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError, match="cannot load .*nowhere.so.*No such file"):
        plait.native("nowhere.so")
    (tmp_path / "text.so").write_text("no library" * 100)
    with pytest.raises(OSError, match="text.so: invalid ELF header"):
        plait.native(tmp_path / "text.so")


def test_a_file_that_is_cut_short(path, tmp_path):
    whole = path.read_bytes()
    for size in range(0, len(whole) // 2, 400):
        part = tmp_path / f"{size}.so"
        part.write_bytes(whole[:size])
        with pytest.raises(OSError, match=f"{size}.so: (the )?file.* short"):
            plait.native(part)


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.so")
    for name in ("pipe.so", "."):
        with pytest.raises(OSError, match="it is no file"):
            plait.native(tmp_path / name)


def test_a_name_is_a_file_here(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    for name in ("tasks.so", "./tasks.so", b"tasks.so", path):
        here = plait.native(name)
        assert here.__file__ == str(path)
        assert str(path) in repr(here)
        assert here.sum(1).compute() == 1


def test_what_is_no_path():
    with pytest.raises(TypeError):
        plait.native(3)
    with pytest.raises(ValueError):
        plait.native("a\0b")


def test_a_function_that_is_not_there(lib):
    with pytest.raises(AttributeError, match="tasks.so has no .*'missing'"):
        lib.missing
    assert not hasattr(lib, "missing")
    for name, why in [("not_a_function", "no function"),
                      ("malloc", "another library's"),
                      ("plait_nil", "another library's|has no")]:
        with pytest.raises(AttributeError, match=why):
            getattr(lib, name)


def test_a_library_of_another_libplait(folder):
    source = folder / "other.c"
    source.write_text("unsigned plait_abi_version(void);\n"
                      "unsigned plait_abi_version(void) { return 0; }\n")
    other = build(folder / "other.so", source)
    with pytest.raises(ImportError) as caught:
        plait.native(other)
    words = str(caught.value)
    assert words.count(str(other)) == 2  # it, and the libplait that it uses
    assert "another libplait" in words and "libplait.so.0" in words


def test_a_library_that_is_linked_to_another_file(folder):
    ours = pathlib.Path(plait._core.__file__).parent / "libplait.so.0"
    (folder / "elsewhere").mkdir()
    copy = shutil.copy(ours, folder / "elsewhere")
    source = ROOT / "python" / "tests" / "native" / "tasks.c"
    linked = build(folder / "linked.so", source, copy,
                   f"-Wl,-rpath,{folder}/elsewhere")
    assert plait.native(linked).sum(give(1), 2).compute() == 3
