"""The penalties of every model are OpenKE's, written out from a batch's triples."""

import numpy as np
import pytest
import torch

from openke.module.loss import MarginLoss, SigmoidLoss, SoftplusLoss
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import BATCHES, build, first_batch
from tests.openke.module.float64 import numbers

PARTS = {
    "TransE": (["ent_embeddings"], ["rel_embeddings"]),
    "TransH": (["ent_embeddings"], ["rel_embeddings", "norm_vector"]),
    "TransR": (["ent_embeddings"], ["rel_embeddings", "transfer_matrix"]),
    "TransD narrow relations": (
        ["ent_embeddings", "ent_transfer"],
        ["rel_embeddings", "rel_transfer"],
    ),
    "RESCAL": (["ent_embeddings"], ["rel_matrices"]),
    "DistMult": (["ent_embeddings"], ["rel_embeddings"]),
    "ComplEx": (
        ["ent_re_embeddings", "ent_im_embeddings"],
        ["rel_re_embeddings", "rel_im_embeddings"],
    ),
    "SimplE": (["ent_embeddings"], ["rel_embeddings", "rel_inv_embeddings"]),
    "HolE": (["ent_embeddings"], ["rel_embeddings"]),
    "Analogy": (
        ["ent_re_embeddings", "ent_im_embeddings", "ent_embeddings"],
        ["rel_re_embeddings", "rel_im_embeddings", "rel_embeddings"],
    ),
    "RotatE": (["ent_embeddings"], ["rel_embeddings"]),
}
"""Tables whose rows of h and t, and of r, are one term each of OpenKE's mean."""


def mean_squares(model, batch, parts):
    terms = []
    for name in parts[0]:
        rows = numbers(model, f"{name}.weight") ** 2
        terms += [rows[batch.head.numpy()].mean(), rows[batch.tail.numpy()].mean()]
    for name in parts[1]:
        terms.append((numbers(model, f"{name}.weight") ** 2)[batch.relation.numpy()].mean())
    return np.mean(terms)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("case", PARTS)
def test_mean_squares(case, shape):
    model, batch = build(case).double(), first_batch(shape)
    expected = mean_squares(model, batch, PARTS[case])
    if case == "TransR":
        expected = expected**2
    np.testing.assert_allclose(model.regularization(model(batch)).item(), expected, rtol=1e-10)


@pytest.mark.parametrize("case", PARTS)
def test_cubes(case):
    model = build(case).double()
    expected = sum((np.abs(p.detach().numpy()) ** 3).sum() for p in model.parameters())
    np.testing.assert_allclose(model.l3_regularization().item(), expected, rtol=1e-10)


def test_a_strategy_adds_its_penalties_to_the_loss():
    model, batch = build("DistMult"), first_batch("mixed")
    scores = model(batch)
    loss = SoftplusLoss()(scores.positive, scores.negative)
    strategy = NegativeSampling(
        model=model, loss=SoftplusLoss(), batch_size=16, regul_rate=0.5, l3_regul_rate=0.25
    )
    expected = loss + 0.5 * model.regularization(scores) + 0.25 * model.l3_regularization()
    torch.testing.assert_close(strategy(batch), expected)


def test_losses_take_openkes_arguments():
    for kind in (MarginLoss, SigmoidLoss, SoftplusLoss):
        assert kind().adv_temperature is None
        assert kind(0.5).adv_temperature == 0.5
    assert MarginLoss().margin == 6.0
    assert MarginLoss(None, 4.0).margin == 4.0


@pytest.mark.parametrize("temperature", [None, 0.5])
def test_margin_loss_of_a_distance_is_openkes(temperature):
    # OpenKE: the loss of distances, low for true triples; here scores are their negatives.
    generator = np.random.default_rng(0)
    positive, negative = generator.random((5, 1)), generator.random((5, 4))
    terms = np.maximum(positive - negative, -0.3)
    weights = np.exp(-negative * (temperature or 0))
    weights /= weights.sum(axis=1, keepdims=True)
    expected = (weights * terms).sum(axis=1).mean() + 0.3
    loss = MarginLoss(adv_temperature=temperature, margin=0.3)
    found = loss(-torch.from_numpy(positive[:, 0]), -torch.from_numpy(negative))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
