"""Adversarial noise: the fake of a triple has generated noise on both entities."""

import pytest
import torch
from torch.nn.functional import leaky_relu, logsigmoid

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.strategy import AdversarialNoise, NegativeSampling
from openke.module.strategy.clock import Clock
from openke.runs.recipe import Recipe
from tests.contracts.graphs import CASES, build, first_batch, graph
from tests.openke.module.test_mat import compare_gradients
from tests.openke.training.test_trainer import CPU, same

TAKING = [case for case in CASES if build(case).noise_view]


def made(case="MMKRL", **settings):
    torch.manual_seed(0)
    settings = {"weight": 0.3, "noise_dim": 3, "hidden_dim": 7, **settings}
    loss = settings.pop("loss", SigmoidLoss())
    return AdversarialNoise(build(case).double(), loss, **settings).double()


def by_hand(strategy, batch, purpose):
    """Return scores of positives and of their fakes, Float["b 2"], one triple at a time."""
    model, b = strategy.model, len(batch)
    shape = (1, 2 * b, strategy.config.noise_dim)
    (z,) = strategy.clock.normal(purpose, shape, torch.device("cpu")).double()
    first, _, second = strategy.generators["noise"]

    def both(entity, row):
        views = model.views(entity[None])
        given = torch.cat([z[row], views["entity"][0]])
        hidden = leaky_relu(first.weight @ given + first.bias, 0.01)
        noise = second.weight @ hidden + second.bias
        if purpose == 1:  # constant in the model's turn
            noise = noise.detach()
        return model.fuse(views), model.fuse({**views, "noise": noise[None]})

    rows = []
    for row, (head, relation, tail) in enumerate(batch.positive):
        heads, tails = both(head, row), both(tail, b + row)
        scores = [
            model.match(model.query(h, relation[None], "tail"), t, ALL_PAIRS)[0, 0]
            for h, t in zip(heads, tails, strict=True)
        ]
        rows.append(torch.stack(scores))
    return torch.stack(rows)


def test_some_models_take_noise():
    assert "MMKRL" in {case.split()[0] for case in TAKING}


@pytest.mark.parametrize("case", TAKING)
@pytest.mark.parametrize("shape", ["mixed", "shared head"])
def test_losses_are_those_of_triples_written_out(case, shape):
    strategy, batch = made(case), first_batch(shape)
    strategy.clock = Clock(epoch=1, epochs=3, step=2, steps=5, seed=4)
    positive, fake = by_hand(strategy, batch, 1).unbind(dim=1)
    added = strategy(batch) - NegativeSampling(strategy.model, strategy.loss)(batch)
    expected = -(logsigmoid(positive) + logsigmoid(-fake)).mean() / 2
    torch.testing.assert_close(added, 0.3 * expected)
    compare_gradients(strategy.model, added, 0.3 * expected)
    positive, fake = by_hand(strategy, batch, 2).unbind(dim=1)
    expected = -(logsigmoid(fake) + logsigmoid(-positive)).mean() / 2
    found = strategy.generator_loss(batch)
    torch.testing.assert_close(found, expected)
    compare_gradients(strategy.generators, found, expected)


def test_without_weight_it_is_negative_sampling():
    plain, none = NegativeSampling(build("MMKRL"), MarginLoss()), None
    for strategy in (plain, AdversarialNoise(build("MMKRL"), MarginLoss(), weight=0.0)):
        loader = TrainDataLoader(graph(), batch_size=12, neg_ent=3)
        Trainer(strategy, loader, 2, 0.02, opt_method="adam", **CPU).run()
        none = strategy
    assert same(plain.model, none.model)


def test_the_generator_learns_to_deceive():
    strategy, batch = made(), first_batch("mixed")
    optimizer = torch.optim.Adam(strategy.generators.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        losses.append(strategy.generator_loss(batch))
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < losses[0]


def test_alignment_goes_with_it():
    recipe = Recipe.from_dict(
        {
            "model": "MMKRL",
            "training": {
                "objective": {"name": "noise", "hidden_dim": 8},
                "loss": "MarginLoss",
                "auxiliary": {"alignment": 1.0},
                "optimizer": "adam",
                "lr": 0.01,
                "epochs": 1,
                "batch_size": 12,
            },
        }
    )
    trainer = recipe.trainer(graph(), make=lambda *_: build("MMKRL"), device="cpu", progress=False)
    before = trainer.strategy.model.alignment.weight.clone()
    trainer.run()
    assert [turn.name for turn in trainer.strategy.turns()] == ["model", "generators"]
    assert trainer.strategy.config.weight == 0.07
    assert not torch.equal(trainer.strategy.model.alignment.weight, before)


def test_a_model_without_noise_is_refused():
    with pytest.raises(ValueError, match="adds noise to entities, but TransE takes none"):
        AdversarialNoise(build("TransE"), SigmoidLoss())
