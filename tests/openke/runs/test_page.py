"""The page of a run: what it shows, and that nothing on it is taken from elsewhere."""

import re

import numpy as np
import pytest
import torch

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import TripleStore
from openke.module.model import TransE
from openke.runs.page import EXAMPLES, WRONG_FROM, examples, write_page

NAMES = ["<b>Ada</b>", "Bob & Co", *(f"entity {i}" for i in range(28))]


@pytest.fixture(scope="module")
def ranked():
    generator = np.random.default_rng(0)
    rows = np.unique(generator.integers((30, 3, 30), size=(300, 3)), axis=0)
    rows = generator.permutation(rows)
    store = TripleStore.from_triples(
        *(rows[100:], rows[:10], rows[10:100]),
        entities=NAMES,
        relations=["likes", "knows", "is_near"],
    )
    torch.manual_seed(0)
    model = TransE(30, 3, dim=8)
    report = Tester(model, TestDataLoader(store, type_constrain=False), progress=False).rank()
    return report, store, model


def test_examples_are_ranked_as_the_report_says(ranked):
    report, store, model = ranked
    right, wrong = examples(report, store, model)
    assert 0 < len(right) <= EXAMPLES
    assert len(wrong) == EXAMPLES
    names = {name: id for id, name in enumerate(NAMES)}
    for one in [*right, *wrong]:
        head = names[one.head]
        relation = ["likes", "knows", "is_near"].index(one.relation)
        others = set(store.known("tail", head, relation).tolist()) - {one.right}
        scores = [answer.score for answer in one.answers]
        assert scores == sorted(scores, reverse=True)
        better = [a for a in one.answers if a.id not in others and a.id != one.right]
        if one.rank == 1:
            assert one.right in [a.id for a in one.answers] or len(others) >= len(one.answers)
        else:
            assert one.rank >= WRONG_FROM
            assert better
    assert all(one.rank == 1 for one in right)


def test_examples_are_the_same_each_time(ranked):
    assert examples(*ranked) == examples(*ranked)


def test_a_part_of_the_test_split_has_no_examples(ranked):
    report, store, model = ranked
    part = report.where(np.arange(len(report.side)) < 20)
    assert examples(part, store, model) == ([], [])


def test_the_page_escapes_names_and_fetches_nothing(ranked, tmp_path):
    curves = tmp_path / "training.png"
    curves.write_bytes(b"\x89PNG")
    path = tmp_path / "report.html"
    recipe = {"model": {"name": "TransE"}, "note": "</script><b>"}
    write_page(path, *ranked, recipe=recipe, curves=curves, notes={"encoder": "none"})
    page = path.read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "<b>" not in page
    assert "&lt;b&gt;Ada" in page
    assert "data:image/png;base64," in page
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert "http" not in page.replace("http-equiv", "")
    report = ranked[0]
    assert f"{100 * report.metrics()['mrr']:.2f}" in page
    for relation in ("likes", "knows", "is_near"):
        assert f"<td>{relation}</td>" in page


def test_without_a_training_there_are_no_curves(ranked, tmp_path):
    write_page(tmp_path / "report.html", *ranked, recipe={}, curves=tmp_path / "none.png")
    page = (tmp_path / "report.html").read_text()
    assert "<img" not in page
    assert "Features</summary>" not in page
