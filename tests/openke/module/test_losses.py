"""Losses against independent formulas."""

import numpy as np
import pytest
import torch

from openke.module.loss import MarginLoss, SampledSoftmaxLoss, SigmoidLoss, SoftplusLoss
from openke.module.model import RotatE
from openke.module.strategy import NegativeSampling


@pytest.fixture
def scores():
    generator = np.random.default_rng(1)
    return generator.normal(size=5), generator.normal(size=(5, 4))


def weights(negative, temperature):
    if temperature is None:
        return np.full_like(negative, 1 / negative.shape[1])
    exp = np.exp(temperature * negative)
    return exp / exp.sum(axis=1, keepdims=True)


def log_sigmoid(x):
    return -np.log1p(np.exp(-x))


@pytest.mark.parametrize("temperature", [None, 0.5, 4.0])
@pytest.mark.parametrize("kind", [SigmoidLoss, SoftplusLoss])
def test_sigmoid_and_softplus(scores, temperature, kind):
    positive, negative = scores
    w = weights(negative, temperature)
    expected = -(log_sigmoid(positive) + (w * log_sigmoid(-negative)).sum(axis=1)).mean() / 2
    found = kind(adv_temperature=temperature)(*map(torch.from_numpy, scores))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("temperature", [None, 0.5])
def test_margin(scores, temperature):
    positive, negative = scores
    w = weights(negative, temperature)
    terms = np.maximum(0, 1.5 - positive[:, None] + negative)
    found = MarginLoss(adv_temperature=temperature, margin=1.5)(*map(torch.from_numpy, scores))
    np.testing.assert_allclose(found, (w * terms).sum(axis=1).mean(), rtol=1e-12)


def test_adversarial_weights_carry_no_gradient():
    negative = torch.tensor([[0.3, -0.2, 0.9]], dtype=torch.float64, requires_grad=True)
    SigmoidLoss(adv_temperature=2.0)(torch.zeros(1, dtype=torch.float64), negative).backward()
    w = weights(negative.detach().numpy(), 2.0)
    expected = w / (1 + np.exp(-negative.detach().numpy())) / 2
    np.testing.assert_allclose(negative.grad, expected, rtol=1e-12)


def test_positive_scores_may_be_a_column(scores):
    positive, negative = map(torch.from_numpy, scores)
    for kind in (MarginLoss, SigmoidLoss, SoftplusLoss):
        torch.testing.assert_close(kind()(positive[:, None], negative), kind()(positive, negative))
    with pytest.raises(RuntimeError, match="shape"):
        MarginLoss()(positive[:3], negative)


def test_a_loss_of_two_arguments_is_refused_with_the_way_out():
    class Plain(torch.nn.Module):
        def forward(self, positive, negative):
            return (negative - positive[:, None]).mean()

    with pytest.raises(ValueError, match=r"Plain\.forward takes other arguments than"):
        NegativeSampling(RotatE(3, 1, dim=2), Plain())


def test_inner_methods_of_openkes_strategy_are_refused():
    with pytest.raises(TypeError, match=r"Mine\._get_positive_score would never be called"):

        class Mine(NegativeSampling):
            def _get_positive_score(self, score):
                return score


def test_sampled_softmax(scores):
    positive, negative = scores
    mask = np.zeros_like(negative, dtype=bool)
    mask[:, 2:] = True
    for masked, kept in ((None, negative), (torch.from_numpy(mask), negative[:, :2])):
        everything = np.exp(np.column_stack([positive, kept]))
        expected = -np.log(everything[:, 0] / everything.sum(axis=1)).mean()
        found = SampledSoftmaxLoss()(*map(torch.from_numpy, scores), masked)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss",
    [
        SampledSoftmaxLoss(),
        *(kind(adv_temperature=t) for kind in (MarginLoss, SigmoidLoss) for t in (0.0, 2.0)),
    ],
    ids=str,
)
def test_a_positive_without_a_negative_is_no_term(scores, loss, weighted):
    """As where a positive is asked both ways and all its negatives belong to one of the two."""
    positive, negative = map(torch.from_numpy, scores)
    weight = torch.arange(1.0, 6.0, dtype=torch.float64) if weighted else None
    mask = torch.zeros(5, 4, dtype=torch.bool)
    mask[:, 3] = True
    expected = loss(positive[:3], negative[:3], mask[:3], weight if weight is None else weight[:3])
    mask[3:] = True
    found = loss(positive, negative, mask, weight)
    if isinstance(loss, SigmoidLoss):  # positives count by themselves there
        found = 2 * found - 2 * loss(positive, negative[:, :0], mask[:, :0], weight)
        expected = 2 * expected - 2 * loss(
            positive[:3], negative[:3, :0], mask[:3, :0], weight if weight is None else weight[:3]
        )
    torch.testing.assert_close(found, expected)
