"""Entities with several rows of features, such as several pictures."""

from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.store_files import MANIFEST, NAMES
from lbmkgc_models.features.describe import describe

ENTITIES = ["a", "b c", "ü"]
ROWS = torch.tensor([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [7.0, 8.0]])


def several() -> ModalFeatures:
    """Return features of which "ü" has three rows and "a" has one."""
    return ModalFeatures.from_rows("image", ["ü", "a", "ü", "ü"], ROWS, ENTITIES, several=True)


def test_the_rows_of_an_entity_stand_in_their_order() -> None:
    features = several()
    none = [0.0, 0.0]
    assert features.values.tolist() == [[[3, 4], none, none], [none] * 3, [[1, 2], none, [7, 8]]]
    assert features.present.tolist() == [[True, False, False], [False] * 3, [True] * 3]
    assert features.has.tolist() == [True, False, True]
    assert (features.dim, features.parts, features.manifest.parts) == (2, 3, 3)
    assert features.zero_rows == 1


def test_one_row_each_has_no_parts() -> None:
    features = ModalFeatures.from_rows("image", ["ü", "a"], ROWS[:2], ENTITIES)
    assert (features.parts, features.manifest.parts) == (0, 0)
    assert torch.equal(features.has, features.present)
    one = ModalFeatures.from_rows("image", ["ü", "a"], ROWS[:2], ENTITIES, several=True)
    assert (one.parts, one.values.shape) == (1, (3, 1, 2))


def test_names_that_are_no_entity_are_reported_once() -> None:
    names = ["x", "a", "x", "y"]
    features = ModalFeatures.from_rows("image", names, ROWS, ENTITIES, several=True)
    assert features.unmatched == ("x", "y")
    assert features.present.sum() == 1


def test_save_and_load(tmp_path: Path) -> None:
    folder = several().save(tmp_path / "image")
    assert (folder / NAMES).read_text(encoding="utf-8") == "a\nü\nü\nü\n"
    loaded = ModalFeatures.load(folder, ENTITIES)
    assert torch.equal(loaded.values, several().values)
    assert torch.equal(loaded.present, several().present)
    assert (loaded.manifest.rows, loaded.manifest.parts) == (4, 3)


def test_stores_of_one_row_each_do_not_speak_of_parts(tmp_path: Path) -> None:
    ModalFeatures.from_rows("image", ["a"], ROWS[:1], ENTITIES).save(tmp_path / "image")
    assert "parts" not in (tmp_path / "image" / MANIFEST).read_text()
    assert Manifest.read(tmp_path / "image" / MANIFEST).parts == 0


def test_more_rows_than_the_manifest_says_are_refused(tmp_path: Path) -> None:
    path = several().save(tmp_path / "image") / MANIFEST
    path.write_text(path.read_text().replace('"parts": 3', '"parts": 2'))
    message = r"the name 'ü' is there 3 times, expected each at most 2 times, as the manifest says"
    with pytest.raises(ValueError, match=message):
        ModalFeatures.load(tmp_path / "image", ENTITIES)


def test_a_description_says_how_many() -> None:
    found = describe(several(), Path("image"))
    assert found == "image: 2 of 3 entities, up to 3 rows each, 2 reals (image)"


def test_who_takes_one_row_says_so() -> None:
    with pytest.raises(
        ValueError, match=r"image features have up to 3 rows of an entity, but X takes one of each"
    ):
        several().require_one_row("X")
