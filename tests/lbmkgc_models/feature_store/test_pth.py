"""AdaMF-MAT's .pth files."""

from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.describe import describe

ENTITIES = ["a", "b", "c"]
ROWS = torch.arange(6.0).reshape(3, 2)


def _pth(tmp_path: Path, content: object) -> Path:
    torch.save(content, tmp_path / "X-visual.pth")
    return tmp_path / "X-visual.pth"


@pytest.mark.parametrize("rows", [ROWS, torch.nn.Parameter(ROWS), ROWS.half(), ROWS.double()])
def test_rows_in_the_data_sets_own_order(tmp_path: Path, rows: torch.Tensor) -> None:
    features = ModalFeatures.from_pth(_pth(tmp_path, rows), ENTITIES, modality="image")
    assert torch.equal(features.values, ROWS)
    assert not features.values.requires_grad
    assert features.present.all()
    assert (features.modality, features.manifest.encoder) == ("image", "X-visual.pth")
    assert features.manifest.notes == {
        "order of rows": "the data set",
        "zero rows taken as missing": 0,
    }


def test_rows_in_the_order_of_another_entity_file(tmp_path: Path) -> None:
    order = tmp_path / "private2id.txt"
    order.write_text("3\nc\t0\na\t1\nz\t2\n")
    path = _pth(tmp_path, ROWS)
    features = ModalFeatures.from_pth(path, ENTITIES, modality="image", entity_file=order)
    assert features.values.tolist() == [[2, 3], [0, 0], [0, 1]]
    assert features.present.tolist() == [True, False, True]
    assert features.unmatched == ("z",)
    assert features.manifest.notes == {
        "order of rows": "private2id.txt",
        "zero rows taken as missing": 0,
    }
    # and as a store, the order no longer matters
    loaded = ModalFeatures.load(features.save(tmp_path / "image"), ENTITIES)
    assert torch.equal(loaded.values, features.values)


def test_rows_of_zeros_are_missing(tmp_path: Path) -> None:
    order = tmp_path / "private2id.txt"
    order.write_text("4\nc\t0\na\t1\nz\t2\nb\t3\n")
    rows = torch.tensor([[0.0, -0.0], [0.0, 1.0], [0.0, 0.0], [2.0, 0.0]])
    path = _pth(tmp_path, rows)
    features = ModalFeatures.from_pth(path, ENTITIES, modality="image", entity_file=order)
    assert features.present.tolist() == [True, True, False]
    assert features.zero_rows == 0
    assert features.manifest.notes["zero rows taken as missing"] == 1  # z is no entity
    assert describe(features, path) == (
        f"image: 2 of 3 entities, 2 reals, X-visual.pth, 1 zero row taken as missing ({path})"
    )
    loaded = ModalFeatures.load(features.save(tmp_path / "image"), ENTITIES)
    assert torch.equal(loaded.present, features.present)
    torch.save(rows * 0, path)
    message = "X-visual.pth: all 3 rows of entities hold nothing but zeros, .*expected some"
    with pytest.raises(ValueError, match=message):
        ModalFeatures.from_pth(path, ENTITIES, modality="image", entity_file=order)


def test_another_number_of_rows_is_explained(tmp_path: Path) -> None:
    path = _pth(tmp_path, ROWS)
    message = r"X-visual.pth: 3 rows, but the data set has 2 entities.*LBMKGC renamed .*entity_file"
    with pytest.raises(ValueError, match=message):
        ModalFeatures.from_pth(path, ["a", "b"], modality="image")
    order = tmp_path / "entity2id.txt"
    order.write_text("1\na\t0\n")
    with pytest.raises(ValueError, match=r"3 rows, but .*entity2id.txt has 1 entities"):
        ModalFeatures.from_pth(path, ENTITIES, modality="image", entity_file=order)


def test_an_order_without_names(tmp_path: Path) -> None:
    path = _pth(tmp_path, ROWS)
    with pytest.raises(ValueError, match="the data set: no entity names"):
        ModalFeatures.from_pth(path, None, modality="image")
    order = tmp_path / "entity2id.txt"
    order.write_text("3\n")
    with pytest.raises(ValueError, match=r"entity2id.txt: no entity names"):
        ModalFeatures.from_pth(path, ENTITIES, modality="image", entity_file=order)


class Other:
    """Something that only unsafe loading would bring back."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"weight": ROWS}, "X-visual.pth: holds dict, expected one tensor"),
        (ROWS[0], r"X-visual.pth: a tensor of shape \[2\], expected \[entities, dim\]"),
        (ROWS.long(), "X-visual.pth: a int64 tensor .* expected a matrix of reals"),
        (ROWS / 0, r"row 0 \(a\) has NaN, 3 of 3 rows .*; make such rows all zeros, and"),
        (Other(), r"X-visual.pth: not a readable tensor .* never executed"),
    ],
)
def test_other_content(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModalFeatures.from_pth(_pth(tmp_path, content), ENTITIES, modality="image")


def test_a_download_that_went_wrong(tmp_path: Path) -> None:
    path = tmp_path / "X-visual.pth"
    path.write_text("<!DOCTYPE html><title>Quota exceeded</title>")
    with pytest.raises(ValueError, match=r"starts with b'<!DOCTYPE html>"):
        ModalFeatures.from_pth(path, ENTITIES, modality="image")
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=r"X-visual.pth: not a readable tensor .* starts with b''"):
        ModalFeatures.from_pth(path, ENTITIES, modality="image")


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"X-visual.pth: no such file, expected a tensor"):
        ModalFeatures.from_pth(tmp_path / "X-visual.pth", ENTITIES, modality="image")


def test_a_file_that_cannot_be_read_is_no_damaged_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*arguments: object, **options: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(torch, "load", load)
    with pytest.raises(PermissionError, match="not yours"):
        ModalFeatures.from_pth(_pth(tmp_path, ROWS), ENTITIES, modality="image")
