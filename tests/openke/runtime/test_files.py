"""Files appear whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

import pytest

from openke.data import TripleStore
from openke.data.relation_types import relation_kinds
from openke.data.type_constraint import TypeConstraint
from openke.runtime.files import folder_for, is_there, write_text, write_whole
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke


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


def test_what_need_not_be_there_is_a_file_or_nothing(tmp_path: Path) -> None:
    assert not is_there(tmp_path / "none")
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert is_there(tmp_path / "file")
    assert is_there(tmp_path / "link")
    (tmp_path / "folder").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    for name, what in (
        ("folder", "a folder"),
        ("dangling", "a link that leads nowhere"),
        ("loop", "a link that leads nowhere"),
    ):
        with pytest.raises(OSError, match=f"{name}: is {what}, expected a file"):
            is_there(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
@pytest.mark.parametrize("name", ["type_constrain.txt", "relation_kinds.tsv"])
def test_a_pipe_is_not_waited_for(name: str, tmp_path: Path) -> None:
    write_openke(graph(), tmp_path)
    os.mkfifo(tmp_path / name)
    store = TripleStore.open(tmp_path)
    with pytest.raises(OSError, match=f"{name}: is a pipe or device, expected a file"):
        (TypeConstraint.of if name.startswith("type") else relation_kinds)(store)


def test_a_full_disk_is_named_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "last.ckpt"
    write_text(path, "the last one")

    def write(stream: IO[bytes]) -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:  # as PyTorch hides it
            raise RuntimeError("PytorchStreamWriter failed writing file")  # noqa: B904

    with pytest.raises(OSError, match=r"No space left on device: '.*last.ckpt'"):
        write_whole(path, write)
    assert path.read_text() == "the last one"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match=r"new/run/last\.ckpt"):
        write_whole(tmp_path / "new" / "run" / "last.ckpt", write)
    assert list(tmp_path.iterdir()) == [path]  # and no folder that had to be made for it


def test_a_folder_is_there_for_what_is_written_into_it(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    with folder_for(tmp_path / "old"), folder_for(tmp_path / "new" / "one"):
        (tmp_path / "new" / "file").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "new", "old"]


def test_what_is_in_a_folder_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("gone")
    (tmp_path / "loop").symlink_to("loop")
    for name, what in (
        ("file", "a file"),
        ("nowhere", "a link that leads nowhere"),
        ("loop", "a link that leads nowhere"),
    ):
        for folder in (tmp_path / name, tmp_path / name / "below"):
            message = f"{name}: is {what}, expected a folder; name another place"
            with pytest.raises(OSError, match=message), folder_for(folder):
                pass
