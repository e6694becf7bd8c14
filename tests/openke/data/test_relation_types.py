import numpy as np
import pytest

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.overlap import seen_entities
from openke.data.relation_types import relation_kinds
from openke.data.store import TripleStore
from openke.module.model import TransE

FILES = {
    "entity2id.txt": "4\na\t0\nb\t1\nc\t2\nd\t3\n",
    "relation2id.txt": "2\nlooks\t0\nmeans\t1\n",
    "train2id.txt": "3\n0 1 0\n1 2 1\n2 0 0\n",
    "valid2id.txt": "1\n1 2 0\n",
    "test2id.txt": "3\n0 2 0\n2 1 1\n3 1 0\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "relation_kinds.tsv").write_text("means\tconceptual\nlooks\tperceptual\n\n")
    return tmp_path


def test_kinds_follow_the_ids_of_relations(folder):
    store = TripleStore.open(folder)
    assert relation_kinds(store).tolist() == ["perceptual", "conceptual"]
    (folder / "relation_kinds.tsv").unlink()
    assert relation_kinds(TripleStore.open(folder)) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("looks\tperceptual\n", "no line for the relation 'means'"),
        ("looks\tperceptual\nmeans\n", r"tsv:2: 'means', expected"),
        ("looks\ta\nlooks\tb\n", r"tsv:2: 'looks\\tb', expected"),
        ("tastes\tb\n", r"tsv:1: 'tastes\\tb', expected"),
    ],
)
def test_wrong_kinds_are_named(folder, content, message):
    (folder / "relation_kinds.tsv").write_text(content)
    with pytest.raises(ValueError, match=message):
        relation_kinds(TripleStore.open(folder))


def test_kinds_need_names(folder):
    (folder / "relation2id.txt").write_text("2\n")
    with pytest.raises(ValueError, match="no names of relations"):
        relation_kinds(TripleStore.open(folder))


def ranked(store):
    model = TransE(store.entity_count, store.relation_count)
    return Tester(model, TestDataLoader(store, type_constrain=False), progress=False).rank()


def test_reports_tell_kinds_and_unseen_entities_apart(folder):
    store = TripleStore.open(folder)
    assert seen_entities(store).tolist() == [True, True, True, False]
    report = Tester(
        TransE(4, 2), TestDataLoader(store, type_constrain=False), progress=False
    ).rank()
    kinds = report.by_kind()["both"]
    assert {kind: found["count"] for kind, found in kinds.items()} == {
        "conceptual": 2,
        "perceptual": 4,
    }
    apart = report.by_seen()["tail"]
    assert {name: found["count"] for name, found in apart.items()} == {"seen": 2, "unseen": 1}
    perceptual = report.where(np.isin(report.relation, [0]))
    assert perceptual.metrics()["mrr"] == kinds["perceptual"]["mrr"]
    assert perceptual.by_seen()["both"]["unseen"]["count"] == 2
    text = report.to_text()
    assert "perceptual" in text
    assert "unseen" in text
    assert report.to_dict()["by_kind"]["both"] == kinds


def test_sets_without_kinds_have_none():
    triples = np.array([[0, 0, 1], [1, 0, 2]])
    store = TripleStore.from_triples(triples, test=triples[:1], entities=3, relations=1)
    report = Tester(
        TransE(3, 1), TestDataLoader(store, type_constrain=False), progress=False
    ).rank()
    assert report.by_kind() == {}
    assert "unseen" not in report.to_text()
