"""Whatever moment a process is killed at: nothing is lost, and nothing is left in the end."""

import os
from functools import partial

import pytest

from openke.runtime.drafts import sweep
from openke.runtime.files import write_text
from openke.runtime.folders import whole_folder
from tests.openke.runtime.killed import killed

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")


def write_folder(folder, text):
    with whole_folder(folder) as draft:
        write_text(draft / "first", text)
        write_text(draft / "deep" / "second", text)


def texts(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def both(text):
    return {"first": text, "deep/second": text}


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_is_the_old_one_or_the_new_one(before, tmp_path):
    path = tmp_path / "file"
    moments = 0
    if before:
        path.write_text(before)
    for _ in killed(partial(write_text, path, "new")):
        assert (path.read_text() if path.exists() else None) in (before, "new")
        moments += 1
        write_text(tmp_path / "other", "x")  # whoever writes there next
        assert {p.name for p in tmp_path.iterdir()} <= {"file", "other"}
    assert moments >= 4
    assert path.read_text() == "new"


@pytest.mark.parametrize("before", [None, "old"])
def test_a_folder_is_the_old_one_or_the_new_one(before, tmp_path):
    folder = tmp_path / "folder"
    moments = 0
    if before:
        write_folder(folder, before)
    for _ in killed(partial(write_folder, folder, "new")):
        moments += 1
        sweep(tmp_path)
        if before or folder.exists():
            assert texts(folder) in ([both(before)] if before else []) + [both("new")]
        assert {p.name for p in tmp_path.iterdir()} <= {"folder"}
        if before:
            write_folder(folder, before)
    assert moments >= 10
    assert texts(folder) == both("new")


def test_sweeping_is_swept_up_after(tmp_path):
    folder = tmp_path / "folder"
    write_folder(folder, "old")
    for _ in killed(partial(write_folder, folder, "new")):
        for _ in killed(partial(sweep, tmp_path)):
            pass
        assert texts(folder) in (both("old"), both("new"))
        assert [p.name for p in tmp_path.iterdir()] == ["folder"]
        write_folder(folder, "old")


def test_what_looks_like_a_draft_is_left_alone(tmp_path):
    left = [".file.mine.lock", ".lock", ".file.1-0123abcd", "file.1-0123abcd.lock", ".1-0123abcd"]
    for name in left:
        (tmp_path / name).touch()
    write_text(tmp_path / "file", "x")
    assert {p.name for p in tmp_path.iterdir()} == {*left, "file"}
