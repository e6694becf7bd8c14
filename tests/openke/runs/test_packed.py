"""What a run's folder holds of its data set is what was written."""

import shutil
import subprocess

import pytest

from openke.data.store import TripleStore
from openke.datasets.importing import Division, import_graph
from openke.runs.packed import check_packed, pack, packed_folder, seal_packed
from openke.runs.seal import SUMS

ROWS = [("a", "r", "b"), ("b", "s", "c")]


@pytest.fixture
def folder(tmp_path):
    """Return a packed data set with a store of features and a picture."""
    texts = {"id": ["a"], "name": ["A"], "text": ["An a."]}
    store = import_graph(ROWS, tmp_path / "graph", Division(valid=0, test=0), texts=texts)

    def more(draft):
        (draft / "features" / "text").mkdir(parents=True)
        (draft / "features" / "text" / "features.safetensors").write_bytes(b"12")
        (draft / "features" / "text" / "manifest.json").write_text("{}")
        (draft / "pictures").mkdir()
        (draft / "pictures" / "a.jpg").write_bytes(b"jpg")

    pack(tmp_path / "run", store, more)
    return packed_folder(tmp_path / "run", "graph")


CHECKED = ("entity2id.txt", "relation2id.txt", "train2id.txt", "labels.tsv")


@pytest.mark.parametrize("name", [*CHECKED, "features/text/manifest.json"])
def test_a_file_that_is_gone_or_changed_is_named(folder, name):
    check_packed(folder)
    path = folder / name
    content = path.read_bytes()
    path.write_bytes(content.replace(b"a", b"z") + b" ")
    with pytest.raises(ValueError, match=f"{name}: was changed since the run was written"):
        check_packed(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=f"{name}: is gone, and belongs to the run"):
        check_packed(folder)
    path.write_bytes(content)
    check_packed(folder)


def test_features_must_be_there_and_are_checked_by_their_manifest(folder):
    path = folder / "features" / "text" / "features.safetensors"
    path.write_bytes(b"34")
    check_packed(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="is gone"):
        check_packed(folder)


def test_pictures_are_not_sealed(folder):
    (folder / "pictures" / "a.jpg").unlink()
    (folder / "pictures" / "b.jpg").write_bytes(b"jpg")
    check_packed(folder)


def test_a_usual_tool_checks_it(folder):
    if shutil.which("sha256sum") is None:
        pytest.skip("needs sha256sum")
    done = subprocess.run(
        ["sha256sum", "-c", SUMS], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "entity2id.txt: OK" in done.stdout


@pytest.mark.parametrize("line", ["x", "abc  /etc/passwd", "abc  ../out", "abc  "])
def test_nothing_outside_is_looked_at(folder, line):
    (folder / SUMS).write_text(line + "\n")
    with pytest.raises(ValueError, match=f"{SUMS}:1: expected a checksum"):
        check_packed(folder)


def test_packed_again_it_is_sealed_again(folder):
    store = TripleStore.open(folder)
    pack(folder.parents[1], store, lambda draft: (draft / "labels.tsv").unlink())
    check_packed(folder)
    (folder / "new.txt").write_text("new")
    seal_packed(folder)
    (folder / "new.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"new\.txt"):
        check_packed(folder)


def test_earlier_runs_have_no_checksums(folder):
    (folder / SUMS).unlink()
    (folder / "labels.tsv").unlink()
    check_packed(folder)
