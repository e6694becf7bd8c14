"""Classes of entities as vectors: a one for each, compressed where there are many."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.class_command import command
from lbmkgc_models.features.classes import build_class_features
from lbmkgc_models.features.encoders.class_sets import ClassSets
from tests.lbmkgc_models.features.small import LABELS, write_dataset

ITEMS = ["film; movie", "Film", "person", "person; writer", "writer; director; person"]


def test_a_one_for_each_class() -> None:
    fitted = ClassSets(normalised=False).fit(ITEMS)
    # director, film, movie, person, writer
    expected = [[0, 1, 1, 0, 0], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 1], [1, 0, 0, 1, 1]]
    assert fitted.encode(ITEMS).tolist() == expected
    assert not fitted.encode(["unheard of", ""]).any()
    assert fitted.lengths(ITEMS) == [2, 1, 1, 2, 3]


def test_many_classes_are_compressed() -> None:
    fitted = ClassSets(dim=2).fit(ITEMS)
    vectors = fitted.encode(ITEMS)
    assert vectors.shape == (5, 2)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(5))
    alike = vectors @ vectors.T
    assert alike[0, 1] > 0.99
    assert alike[0, 2].abs() < 0.01
    assert fitted.revision == ClassSets(dim=2).fit(ITEMS).revision
    assert fitted.revision != ClassSets(dim=2).fit(ITEMS[1:]).revision


@pytest.mark.parametrize("items", [[], [" ; "]])
def test_without_a_class_there_is_nothing_to_learn(items: list[str]) -> None:
    with pytest.raises(ValueError, match="class-sets: no class in"):
        ClassSets().fit(items)


def test_the_command_writes_a_modality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_dataset(tmp_path / "Pets")
    rows = "0\ttype\tanimal; dog\n0\ttext\tIt barks.\n1\ttype\tanimal\n1\ttype\tdog\n"
    (folder / "texts.tsv").write_text("id\tkind\ttext\n" + rows, encoding="utf-8")
    assert command(str(folder), out=tmp_path / "out") == 0
    store = tmp_path / "out" / "classes"
    assert "classes: 2 of 4 entities, 2 reals, class-sets" in capsys.readouterr().out
    found = ModalFeatures.load(store, [name for name, _, _ in LABELS])
    assert found.present.tolist() == [True, True, False, False]
    assert torch.equal(found.values[0], found.values[1])


def test_a_data_set_without_classes_says_so(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Pets")
    with pytest.raises(ValueError, match=r"texts\.tsv: no text of the kind 'type'"):
        build_class_features(folder, tmp_path)
