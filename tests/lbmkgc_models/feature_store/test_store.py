"""ModalFeatures: rows find their entities by name, and nothing damaged gets through."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import FEATURES, MANIFEST, NAMES
from openke.runtime.files import sha256_of

ENTITIES = ["a", "b c", "ü"]
ROWS = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def _features() -> ModalFeatures:
    return ModalFeatures.from_rows("text", ["ü", "a"], ROWS, ENTITIES, encoder="e", dataset="d")


def test_rows_are_matched_by_name_and_the_rest_is_missing() -> None:
    features = _features()
    assert features.values.tolist() == [[3, 4], [0, 0], [1, 2]]
    assert features.values.dtype == torch.float32
    assert features.present.tolist() == [True, False, True]
    assert (features.modality, features.dim, features.unmatched) == ("text", 2, ())
    assert (features.manifest.rows, features.manifest.dim, features.manifest.encoder) == (2, 2, "e")
    assert features.names == tuple(ENTITIES)


def test_unmatched_names_are_reported_and_left_out() -> None:
    rows = np.array([[1.0], [2.0], [3.0]])
    features = ModalFeatures.from_rows("text", ["x", "a", "y"], rows, ENTITIES)
    assert features.unmatched == ("x", "y")
    assert features.values.tolist() == [[2], [0], [0]]


def test_zero_rows_are_kept_and_counted() -> None:
    features = ModalFeatures.from_rows("text", ["a", "ü"], torch.eye(2) * 0, ENTITIES)
    assert features.zero_rows == 2
    assert features.present.tolist() == [True, False, True]
    assert _features().zero_rows == 0


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_save_and_load(tmp_path: Path, dtype: str) -> None:
    folder = _features().save(tmp_path / "text", dtype=dtype)
    loaded = ModalFeatures.load(folder, ["new", *reversed(ENTITIES)])
    assert loaded.values.tolist() == [[0, 0], [1, 2], [0, 0], [3, 4]]
    assert loaded.present.tolist() == [False, True, False, True]
    assert (loaded.manifest.dtype, loaded.manifest.rows) == (dtype, 2)
    assert loaded.manifest.encoder == "e"
    # What was read as float16 is written as float16.
    assert ModalFeatures.load(loaded.save(tmp_path / "b"), ENTITIES).manifest.dtype == dtype
    assert (folder / NAMES).read_text(encoding="utf-8") == "a\nü\n"


def test_further_files_lie_in_the_store(tmp_path: Path) -> None:
    folder = _features().save(tmp_path / "text", extra={"skipped.tsv": "ä\n"})
    assert (folder / "skipped.tsv").read_text(encoding="utf-8") == "ä\n"
    manifest = ModalFeatures.load(folder, ENTITIES).manifest
    assert manifest.sha256["skipped.tsv"] == sha256_of(folder / "skipped.tsv")
    _features().save(folder)
    assert not (folder / "skipped.tsv").exists()


def test_saved_files_are_as_readable_as_others(tmp_path: Path) -> None:
    folder = _features().save(tmp_path / "text")
    (tmp_path / "other").write_text("")
    expected = stat.S_IMODE((tmp_path / "other").stat().st_mode)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {expected}


NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"), min_size=1)


@given(
    st.lists(NAME, min_size=1, max_size=8, unique=True).flatmap(
        lambda names: st.tuples(
            st.just(names), st.permutations(names), st.integers(1, len(names)), st.integers(1, 3)
        )
    ),
    st.randoms(use_true_random=False),
)
def test_any_names_in_any_order_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: tuple[list[str], list[str], int, int],
    random: Random,
) -> None:
    names, order, count, dim = drawn
    rows = [[1 + random.random() for _ in range(dim)] for _ in range(count)]
    made = ModalFeatures.from_rows("text", order[:count], torch.tensor(rows), names)
    folder = made.save(tmp_path_factory.mktemp("store") / "text")
    loaded = ModalFeatures.load(folder, order)
    for position, name in enumerate(order):
        expected = rows[position] if position < count else [0.0] * dim
        assert torch.equal(loaded.values[position], torch.tensor(expected))
        assert torch.equal(made.values[names.index(name)], torch.tensor(expected))
        assert bool(loaded.present[position]) == (position < count)


@pytest.mark.parametrize(
    ("names", "rows", "message"),
    [
        (["a"], ROWS, r"text features: 1 names for 2 rows"),
        (["a", "a"], ROWS, r"text features: the name 'a' is there twice, at rows 0 and 1"),
        (["a", "x\ny"], ROWS, r"row 1 is named 'x\\ny', expected one line of text"),
        (["a", ""], ROWS, r"row 1 is named '', expected one line of text"),
        (["a", "b c"], ROWS[0], r"a float32 tensor of shape \[2\], expected a matrix of reals"),
        (["a", "b c"], ROWS.long(), r"a int64 tensor of shape \[2, 2\], expected a matrix"),
        (["a", "b c"], ROWS[:, :0], r"of shape \[2, 0\], expected a matrix"),
        (["a", "x"], ROWS * torch.tensor([[1], [torch.nan]]), r"row 1 \(x\) has NaN, 1 of 2 rows"),
        (["a", "x"], ROWS / 0, r"row 0 \(a\) has an infinite value, 2 of 2 .* finite; leave such"),
        (["x", "y"], ROWS, r"none of the 2 names, the first 'x', is one of the 3 entities, the f"),
        ([], ROWS[:0], r"none of the 0 names, the first None, is one of the 3"),
    ],
)
def test_rows_that_do_not_fit(names: list[str], rows: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModalFeatures.from_rows("text", names, rows, ENTITIES)


def test_graphs_without_names_and_with_a_name_twice() -> None:
    with pytest.raises(ValueError, match=r"the data set: no entity names .* count only"):
        ModalFeatures.from_rows("text", ["a", "b"], ROWS, None)
    with pytest.raises(ValueError, match="the data set: the name 'a' is there twice"):
        ModalFeatures.from_rows("text", ["a", "b"], ROWS, ["a", "a"])


def _edit_manifest(folder: Path, **changes: object) -> None:
    content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    sums = {name: sha256_of(folder / name) for name in (FEATURES, NAMES)}
    (folder / MANIFEST).write_text(json.dumps(content | {"sha256": sums} | changes))


def _tensor(name: str, rows: torch.Tensor) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        save_file({name: rows}, folder / FEATURES)
        _edit_manifest(folder)

    return damage


def _names(content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / NAMES).write_bytes(content)
        _edit_manifest(folder)

    return damage


def _garbage(folder: Path) -> None:
    (folder / FEATURES).write_bytes(b"not a tensor")
    _edit_manifest(folder)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / NAMES).write_bytes(b"b\nx\n"), r"names.txt: SHA-256 is .* or was changed"),
        (lambda f: _edit_manifest(f, sha256={}), r"features.safetensors: SHA-256 is .* has None"),
        (_garbage, r"features.safetensors: not a safetensors file"),
        (_tensor("rows", ROWS), r"features.safetensors: holds rows, expected one tensor 'features"),
        (_tensor("features", ROWS[:1]), r"tensor of shape \[1, 2\], manifest.json has float32 and"),
        (_tensor("features", ROWS[0]), r"tensor of shape \[2\], manifest.json has float32 and"),
        (_tensor("features", ROWS.double()), r"a float64 tensor .* manifest.json has float32 and"),
        (_tensor("features", ROWS / 0), r"text: row 0 \(a\) has an infinite value"),
        (_names(b"a\n"), r"names.txt: 1 names, manifest.json has 2 rows"),
        (_names(b"a\na\n"), r"text: the name 'a' is there twice"),
        (_names(b"a\n\xff\n"), r"names.txt:2: byte 0xff is not UTF-8"),
        (lambda f: _edit_manifest(f, rows=3), r"manifest.json has float32 and \[3, 2\]"),
        (lambda f: _edit_manifest(f, dim=3), r"manifest.json has float32 and \[2, 3\]"),
    ],
)
def test_damaged_stores(tmp_path: Path, damage: Callable[[Path], None], message: str) -> None:
    folder = _features().save(tmp_path / "text")
    damage(folder)
    with pytest.raises(ValueError, match=message):
        ModalFeatures.load(folder, ENTITIES)


def test_a_store_of_zeros_alone_is_refused(tmp_path: Path) -> None:
    names = ["a", "b"]
    ModalFeatures.from_rows("text", names, torch.zeros(2, 3), names).save(tmp_path / "text")
    with pytest.raises(ValueError, match="all 2 rows hold nothing but zeros; build the features"):
        ModalFeatures.load(tmp_path / "text", names)


def test_missing_folder_and_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="text: no such folder, expected a feature store"):
        ModalFeatures.load(tmp_path / "text", ENTITIES)
    folder = _features().save(tmp_path / "text")
    (folder / NAMES).unlink()
    with pytest.raises(FileNotFoundError, match=r"text lacks names.txt: a feature store has"):
        ModalFeatures.load(folder, ENTITIES)


def test_saving_refuses_what_cannot_be_stored(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dtype is 'int8', expected one of float32, float16"):
        _features().save(tmp_path / "text", dtype="int8")
    large = ModalFeatures.from_rows("text", ["a"], torch.tensor([[1e6]]), ENTITIES)
    with pytest.raises(ValueError, match=r"features as float16: row 0 \(a\) has an infinite value"):
        large.save(tmp_path / "text", dtype="float16")
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_a_store_but_nothing_else(tmp_path: Path) -> None:
    _features().save(tmp_path / "text")
    ModalFeatures.from_rows("text", ["a"], ROWS[:1] * 9, ENTITIES).save(tmp_path / "text")
    assert ModalFeatures.load(tmp_path / "text", ENTITIES).values[0].tolist() == [9, 18]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.png").write_text("precious")
    with pytest.raises(FileExistsError, match="photos exists and is not a feature store"):
        _features().save(tmp_path / "photos")
    assert (tmp_path / "photos" / "me.png").read_text() == "precious"
