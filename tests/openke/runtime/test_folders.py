"""Folders that appear whole or not at all."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from openke.runtime.files import naming
from openke.runtime.folders import draft_of, whole_folder


def test_nothing_is_seen_before_the_end(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    with whole_folder(target) as draft:
        (draft / "file").write_text("new")
        assert not target.exists()
    assert (target / "file").read_text() == "new"
    assert list(target.parent.iterdir()) == [target]


def test_an_older_folder_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("old")
    with whole_folder(target) as draft:
        (draft / "file").write_text("new")
        assert (target / "old").exists()
    assert [path.name for path in target.iterdir()] == ["file"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_cannot_be_written_is_named_by_its_place(tmp_path: Path) -> None:
    target = tmp_path / "target"

    def fill_the_disk(inside: str) -> None:
        with draft_of(target) as draft, naming(draft / inside):
            raise OSError(errno.ENOSPC, "No space left on device")

    for inside in ("file", "target/file"):
        with pytest.raises(OSError, match="No space") as caught:
            fill_the_disk(inside)
        assert caught.value.filename == str(target / "file")


@pytest.mark.parametrize("what", ["a file", "a link that leads nowhere"])
def test_what_is_no_folder_is_not_replaced(tmp_path: Path, what: str) -> None:
    target = tmp_path / "target"
    target.write_text("old") if what == "a file" else target.symlink_to("nowhere")
    with (
        pytest.raises(FileExistsError, match=f"target: is {what}, expected a folder"),
        draft_of(target),
    ):
        pass
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("old")

    def fill_the_disk() -> None:
        with whole_folder(target) as draft:
            (draft / "file").write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fill_the_disk()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failing_rename_brings_the_older_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (target / "old").write_text("old")
    rename, calls = Path.rename, []

    def second_fails(self: Path, to: Path) -> Path:
        calls.append(to)
        if len(calls) == 2:
            raise OSError("no")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", second_fails)
    with pytest.raises(OSError, match="no"), whole_folder(target):
        pass
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_drafts_of_killed_processes_are_swept_and_others_stay(tmp_path: Path) -> None:
    target, foreign = tmp_path / "target", tmp_path / ".target.mine"
    foreign.mkdir()
    code = """
import os, sys
from pathlib import Path
from openke.runtime.folders import draft_of
with draft_of(Path(sys.argv[1])) as draft:
    (draft / "half").touch()
    os._exit(9)
"""
    subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    left = {path.name for path in tmp_path.iterdir()} - {foreign.name}
    assert len(left) == 2  # the draft and its lock
    with draft_of(target) as first, draft_of(target) as second:
        assert not left & {path.name for path in tmp_path.iterdir()}
        assert first.is_dir()
        assert second.is_dir()
    assert list(tmp_path.iterdir()) == [foreign]
