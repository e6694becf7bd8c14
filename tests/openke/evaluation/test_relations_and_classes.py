"""Relation prediction and triple classification, against plain Python."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from openke.config import Tester
from openke.data import TestDataLoader, TripleStore
from openke.evaluation.classification import best_threshold, false_triples, judge
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import ENTITIES, RELATIONS, build, graph
from tests.openke.evaluation.test_tester import Constant

CPU = {"device": "cpu", "progress": False}
CASES = ("TransE", "RotatE", "LBMKGC")


def known(store):
    return {tuple(row) for split in ("train", "valid", "test") for row in store.triples(split)}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("filtered", [True, False])
def test_relations_are_ranked_as_by_hand(case, filtered, monkeypatch):
    monkeypatch.setattr("openke.evaluation.tester.RELATION_BLOCK", 3 * RELATIONS)
    store, model = graph(triples=200), build(case)
    tester = Tester(model, TestDataLoader(store), **CPU)
    report = tester.rank_relations(
        "test", **({} if filtered else {"filter_splits": ()}), seed=3, settings={"dim": 4}
    )
    facts = known(store) if filtered else set()
    for row, (h, r, t) in enumerate(store.triples("test").tolist()):
        ids = [torch.full((RELATIONS,), h), torch.arange(RELATIONS), torch.full((RELATIONS,), t)]
        scores = score_triples(model, *ids).tolist()
        others = [x for x in range(RELATIONS) if x != r and (h, x, t) not in facts]
        assert report.greater[row] == sum(scores[x] > scores[r] for x in others)
        assert report.equal[row] == sum(scores[x] == scores[r] for x in others)
    assert report.sides == ("relation",)
    content = report.to_dict()
    assert set(content["metrics"]) == {"relation"}
    assert content["metrics"]["relation"]["count"] == len(store.triples("test"))
    assert content["filtered"] == filtered
    assert (content["seed"], content["settings"]) == (3, {"dim": 4})
    assert report.metrics() == report.metrics("relation")


def test_the_relation_table_is_printed_and_kept(capsys):
    tester = Tester(build("TransE"), TestDataLoader(graph()), **CPU)
    found = tester.run_relation_prediction()
    text = capsys.readouterr().out
    assert "TransE on memory test (relations, filtered, realistic ranks)" in text
    assert found[0] == tester.report.metrics()["mrr"]
    assert "head" not in text
    with pytest.raises(ValueError, match="found the side 'head', expected one of relation"):
        tester.report.metrics("head")
    links = tester.rank("test")
    assert links.sides == ("both", "head", "tail")
    with pytest.raises(ValueError, match="found the side 'relation', expected one of both, head"):
        links.metrics("relation")


def test_setters_under_openkes_names():
    store, other = graph(), graph(seed=1, entities=9)
    tester = Tester(build("TransE"), TestDataLoader(store), **CPU)
    tester.set_model(build("RotatE"))
    tester.set_use_gpu(False)
    assert tester.rank("test").model == "RotatE"
    tester.set_data_loader(TestDataLoader(other))
    with pytest.raises(ValueError, match="the model has 23 entities and 4 relations, the data 9"):
        tester.rank("test")
    loader = TestDataLoader(store, "classification")
    loader.set_sampling_mode("link")
    assert loader.sampling_mode == "link"
    with pytest.raises(ValueError, match="sampling_mode is 'chess', expected one of 'link', 'cla"):
        loader.set_sampling_mode("chess")


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=12),
)
def test_the_threshold_is_the_best_there_is(judged):
    scores = np.array([score for score, _ in judged], float)
    truth = np.array([true for _, true in judged])
    chosen = best_threshold(scores, truth)
    found = np.mean((scores >= chosen) == truth)
    assert found == max(np.mean((scores >= x) == truth) for x in scores)


@pytest.mark.parametrize("split", ["valid", "test"])
def test_false_triples_replace_one_end_evenly_and_are_no_facts(split):
    store = graph(triples=300)
    own, facts = store.triples(split), known(store)
    heads = 0
    for seed in range(20):
        false = false_triples(store, split, seed)
        assert np.array_equal(false, false_triples(store, split, seed))
        differs = false != own
        assert (differs.sum(axis=1) == 1).all()
        assert not differs[:, 1].any()
        assert not facts & set(map(tuple, false))
        heads += differs[:, 0].sum()
    n = 20 * len(own)
    assert abs(heads - n / 2) < 4 * (n / 4) ** 0.5
    assert not np.array_equal(false_triples(store, split, 0), false_triples(store, split, 1))


def test_the_threshold_comes_from_the_valid_split(capsys):
    store, model = graph(triples=200), build("RotatE")
    tester = Tester(model, TestDataLoader(store, "classification"), **CPU)
    accuracy, threshold = tester.run_triple_classification(seed=5)
    device = torch.device("cpu")
    assert threshold == best_threshold(*judge(model, store, "valid", 5, device))
    scores, truth = judge(model, store, "test", 5, device)
    assert accuracy == np.mean((scores >= threshold) == truth)
    assert f"RotatE on memory test: accuracy {100 * accuracy:.2f} %" in capsys.readouterr().out
    assert tester.run_triple_classification(threshlod=-1e9) == (0.5, -1e9)


def test_classification_without_a_valid_split_needs_a_threshold():
    train = graph().triples("train")
    store = TripleStore.from_triples(
        train[5:], None, train[:5], entities=ENTITIES, relations=RELATIONS
    )
    tester = Tester(build("TransE"), TestDataLoader(store), **CPU)
    with pytest.raises(ValueError, match="the valid split is empty"):
        tester.run_triple_classification()
    assert tester.run_triple_classification(-1e9)[0] == 0.5


def test_scores_that_are_nan_are_not_classified():
    tester = Tester(Constant(ENTITIES, RELATIONS, float("nan")), TestDataLoader(graph()), **CPU)
    with pytest.raises(ValueError, match=r"\d+ scores of test triples are NaN"):
        tester.run_triple_classification(0.0)
