"""PairRE against its formula in float64 NumPy."""

import numpy as np
import pytest
import torch

from openke.module.model import PairRE
from tests.contracts.graphs import ENTITIES, RELATIONS
from tests.openke.module.float64 import numbers, score, unit


def test_pairre(triples):
    model = PairRE(ENTITIES, RELATIONS, dim=6, margin=7.0).double()
    e = unit(numbers(model, "ent_embeddings.weight"))
    r = numbers(model, "rel_embeddings.weight")
    h, r, t = e[triples[0]], r[triples[1]], e[triples[2]]
    expected = 7.0 - np.abs(h * r[:, :6] - t * r[:, 6:]).sum(axis=1)
    np.testing.assert_allclose(score(model, triples), expected, rtol=1e-12)


def test_pairre_starts_as_published():
    torch.manual_seed(0)
    model = PairRE(2000, 300, dim=50, margin=6.0, epsilon=2.0)
    for rows in (model.ent_embeddings.weight, model.rel_embeddings.weight):
        assert 0.99 * 8 / 50 < rows.abs().max() <= 8 / 50
    assert model.constants() == {"margin": 6.0}


def test_a_margin_must_be_a_number():
    with pytest.raises(ValueError, match=r"PairRE\.margin is None; expected a number"):
        PairRE(ENTITIES, RELATIONS, margin=None)
