"""Shares of modalities, counted."""

from pathlib import Path

import pytest
import torch

from lbmkgc_models.features.report.coverage import CLASSES, classes_of, coverage
from openke.data.store import TripleStore
from tests.lbmkgc_models.features.small import write_dataset


def test_every_entity_is_in_one_class() -> None:
    text = torch.tensor([True, True, True, False, False, False])
    image = torch.tensor([True, True, False, True, True, False])
    generated = torch.tensor([False, True, False, False, True, False])
    found = classes_of(text, image, generated)
    assert found == ["both", "generated", "text", "image", "image", "none"]
    assert set(found) == set(CLASSES)


def test_groups_are_all_entities_and_those_that_kinds_of_relations_meet(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Pets")
    store = TripleStore.open(folder)
    classes = ["both", "text", "text", "none"]
    (everyone,) = coverage(classes, store)
    assert (everyone.group, everyone.total, everyone.share("text")) == ("all entities", 4, 0.5)
    (folder / "relation_kinds.tsv").write_text("is\tconceptual\nlooks\tperceptual\n")
    everyone, met = coverage(classes, store)
    assert met.group == "met by conceptual relations"
    assert met.counts == {"both": 1, "generated": 0, "text": 1, "image": 0, "none": 0}
    (folder / "relation_kinds.tsv").write_text("is conceptual\n")
    with pytest.raises(ValueError, match=r"relation_kinds.tsv:1: 'is conceptual', expected a rel"):
        coverage(classes, store)


def test_a_graph_in_memory_has_no_kinds() -> None:
    store = TripleStore.from_triples([[0, 0, 1]], entities=2, relations=1)
    (everyone,) = coverage(["none", "none"], store)
    assert everyone.share("none") == 1.0
    assert everyone.share("both") == 0.0
