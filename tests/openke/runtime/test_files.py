"""Files appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from openke.runtime.files import write_text, write_whole


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.txt"
    for text in ("grün", "blau"):
        write_text(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_a_file_is_as_readable_as_any_other(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "report.txt", "")
    finally:
        os.umask(before)
    assert (tmp_path / "report.txt").stat().st_mode & 0o777 == 0o666 & ~mask


def test_the_umask_of_the_process_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "umask", None)  # other threads make files meanwhile
    write_text(tmp_path / "report.txt", "x")


def test_a_writer_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    def write(stream: object) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "report.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_rename_that_fails_leaves_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    path.mkdir()
    with pytest.raises(OSError, match=r"report\.txt"):
        write_text(path, "x")
    assert list(tmp_path.iterdir()) == [path]
