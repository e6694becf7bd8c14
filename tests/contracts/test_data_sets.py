"""What holds for every registered data set, with those of other packages that are installed."""

from pathlib import Path

import pytest

from openke.data.store import TripleStore
from openke.datasets.registry import DATA_SETS, KnownDataSet
from openke.datasets.search import NEEDED
from tests.conftest import server_answers
from tests.contracts.registered import loadable

LOADED = loadable(DATA_SETS)
LISTED = [name for name in LOADED if isinstance(LOADED[name], KnownDataSet)]
MADE = [name for name in LOADED if name not in LISTED]
DIGITS = {"": 64, "git": 40}
"""Hexadecimal digits of a checksum, by what stands before its colon: SHA-256, or an id of Git."""


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_name_is_that_of_a_folder(name):
    assert name not in ("", ".", "..")
    assert Path(name).name == name, f"{name!r}: a folder is named so"


@pytest.mark.parametrize("name", LISTED)
def test_files_are_pinned_by_commit_and_checksum(name):
    known = DATA_SETS[name]
    assert set(NEEDED) <= known.files.keys(), f"{name} lacks one of {', '.join(NEEDED)}"
    for file in known.downloads:
        owner, repository, commit, *path = file.path.split("/")
        assert owner
        assert repository
        assert path
        assert len(bytes.fromhex(commit)) == 20, f"{file.path}: {commit} is no commit"
        kind, _, digest = file.checksum.rpartition(":")
        assert len(digest) == DIGITS[kind], f"{file.path}: {file.checksum}"
        assert int(digest, 16), f"{file.path}: the checksum is only zeros"
    commit = next(iter(known.files.values())).path.split("/")[2]
    assert commit in known.page


def test_a_function_returns_the_same_folder_of_a_data_set_each_time(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path))
    for name in MADE:  # none of the project's own
        try:
            folder = DATA_SETS[name]()
        except OSError as error:
            if server_answers():
                raise
            pytest.skip(f"{name} needs a network: {error}")
        store = TripleStore.open(folder)
        assert store.rows("train") > 0
        written = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
        assert DATA_SETS[name]() == folder, name
        assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == written, name
