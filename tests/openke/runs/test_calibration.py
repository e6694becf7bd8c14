"""Probabilities fitted to scores, and answers that are ordered as a plain sort orders them."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from openke.data.store import TripleStore
from openke.module.model import DistMult
from openke.runs.calibration import Bin, Calibration, binned, calibrate, expected_error
from openke.runs.predictor import Predictor, best


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=20), st.integers(1, 25))
def test_the_best_are_those_of_a_stable_sort(values, k):
    scores = np.array(values, float)
    expected = np.argsort(-scores, kind="stable")[:k].tolist()
    assert [i for i, _ in best(torch.from_numpy(scores), k, len(values))] == expected
    assert best(torch.from_numpy(scores), k, 0) == []


def test_the_error_is_the_distance_of_probability_and_share():
    right = np.array([True, False] * 50)
    assert expected_error(binned(np.full(100, 0.5), right)) == pytest.approx(0)
    assert expected_error(binned(np.full(100, 0.9), right)) == pytest.approx(0.4)
    assert Calibration(1.0, 0.0, 0.0, 1).probability(0.0) == 0.5
    assert Calibration(1.0, 0.0, 0.0, 1).probability(-1e9) == 0.0


@pytest.fixture
def predictor():
    """Return a model whose scores say which answers are right."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    rows = np.stack(
        [rng.integers(0, 40, 300), rng.integers(0, 2, 300), rng.integers(0, 40, 300)], 1
    )
    store = TripleStore.from_triples(
        rows[:200], rows[200:], rows[:0], entities=40, relations=["r", "s"]
    )
    return Predictor(DistMult(40, 2, dim=4), store)


def test_probabilities_are_fitted_to_the_valid_split(predictor):
    pytest.importorskip("sklearn")
    fitted = calibrate(predictor)
    assert fitted.error < 0.1
    (found,) = predictor.answer_all([(0, "r", None)], 40, probability=fitted.probability)
    assert len(found) == 40
    assert all((a.probability is None) == (a.known is not None) for a in found)


def test_bins_are_of_one_size_from_the_least_probable_on(predictor):
    pytest.importorskip("sklearn")
    fitted = calibrate(predictor)
    assert sum(each.answers for each in fitted.bins) == fitted.answers
    assert len(fitted.bins) == 10
    assert max(b.answers for b in fitted.bins) - min(b.answers for b in fitted.bins) <= 1
    said = [each.probability for each in fitted.bins]
    assert said == sorted(said)
    assert binned(np.array([0.25, 0.75]), np.array([False, True])) == (
        Bin(0.25, 0.0, 1),
        Bin(0.75, 1.0, 1),
    )


def test_it_comes_back_from_a_report():
    fitted = Calibration(1.5, -0.5, 0.25, 7, (Bin(0.5, 0.25, 7),))
    saved = json.loads(json.dumps(fitted.to_dict()))
    assert Calibration.from_dict(saved) == fitted
    for wrong in (
        *({"error": 2.0}, {"answers": "7"}, {"what": 1}),
        *({"bins": bins} for bins in ([{"probability": 9}], [[]], [3], None, 3, "x", {"a": 1})),
    ):
        with pytest.raises(ValueError, match=r"calibration"):
            Calibration.from_dict({**saved, **wrong})
    with pytest.raises(ValueError, match=r"calibration is \[\]; expected settings by name"):
        Calibration.from_dict([])


def test_too_small_a_valid_split_is_refused():
    pytest.importorskip("sklearn")
    store = TripleStore.from_triples([(0, 0, 1)], entities=2, relations=1)
    with pytest.raises(ValueError, match="where 0 of 0 answers are right: expected 20 or more"):
        calibrate(Predictor(DistMult(2, 1, dim=4), store))


def test_many_queries_are_answered_as_each_alone(predictor):
    queries = [(0, "r", None), (None, "s", 3), (1, None, 2), (0, "r", 1), (2, "r", None)]
    together = predictor.answer_all(queries, 5)
    for query, found in zip(queries, together, strict=True):
        alone = predictor.answer(*query, 5, False)
        assert [a.id for a in found] == [a.id for a in alone]
        assert [a.score for a in found] == pytest.approx([a.score for a in alone], abs=1e-5)
    with pytest.raises(ValueError, match="a query gives two of head, relation and tail"):
        predictor.answer_all([(0, None, None)])
    with pytest.raises(ValueError, match="type constraints are of entities"):
        predictor.answer_all([(0, None, 1)], type_constrain=True)
    with pytest.raises(ValueError, match="k is 0, expected at least 1 answer"):
        predictor.answer_all([(0, "r", None)], 0)


def test_types_limit_answers(predictor):
    store = predictor.store
    splits = [store.triples(split) for split in ("train", "valid", "test")]
    tails = {t for rows in splits for _, r, t in rows.tolist() if r == 0}
    (found,) = predictor.answer_all([(0, "r", None)], 99, type_constrain=True)
    assert {a.id for a in found} == tails
