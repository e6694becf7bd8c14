"""MAT: fakes whose modal views are generated, and who learns from them in which turn."""

import math

import pytest
import torch
from torch.nn.functional import leaky_relu, logsigmoid

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.batch import Batch
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.encodings import presence
from openke.module.strategy import MAT, NegativeSampling
from openke.module.strategy.clock import Clock
from openke.runs.recipe import Recipe
from tests.contracts.graphs import BATCHES, CASES, build, first_batch, graph, reciprocal
from tests.openke.training.test_trainer import CPU, same

WITH_VIEWS = [case for case in CASES if build(case).modal_views]
FEW = ["AdaMF", "IKRL", "TBKGC", "LBMKGC", "LBMKGC sum mentions"]
views_of = pytest.mark.parametrize("case", WITH_VIEWS)
few = pytest.mark.parametrize("case", FEW)


def loader(**options):
    options = {"batch_size": 12, "neg_ent": 3, "bern_flag": True, **options}
    return TrainDataLoader(graph(), **options)


def made(case, make=build, **settings):
    torch.manual_seed(0)
    settings = {"weight": 0.3, "noise_dim": 3, "hidden_dim": 7, **settings}
    return MAT(make(case).double(), SigmoidLoss(), **settings).double()


def compare_gradients(module, found, expected):
    parameters = [each for each in module.parameters() if each.requires_grad]
    torch.testing.assert_close(
        *(torch.autograd.grad(x, parameters, materialize_grads=True) for x in (found, expected))
    )


def score_of(model, head, relation, tail):
    query = model.query(model.fuse(head), relation[None], "tail")
    return model.match(query, model.fuse(tail), ALL_PAIRS)[0, 0]


def by_hand(strategy, batch, purpose):
    """Return scores of positives and of their three fakes, Float["b 4"], one triple at a time."""
    model, b = strategy.model, len(batch)
    names = list(model.modal_views)
    shape = (len(names), 2 * b, strategy.config.noise_dim)
    noise = strategy.clock.normal(purpose, shape, torch.device("cpu")).double()
    weights = dict(strategy.generators.named_parameters())
    if purpose == 1:  # constant in the model's turn
        weights = {name: values.detach() for name, values in weights.items()}

    def generated(entity, row):
        views = dict(model.views(entity[None]))
        for place, name in enumerate(names):
            given = torch.cat([noise[place, row], views["entity"][0]])
            hidden = weights[f"{name}.0.weight"] @ given + weights[f"{name}.0.bias"]
            out = weights[f"{name}.2.weight"] @ leaky_relu(hidden, 0.01)
            made = (out + weights[f"{name}.2.bias"])[None]
            views[name] = made.detach() if purpose == 1 else made
            views[presence(name)] = torch.ones(1, 1, dtype=torch.bool)
        return views

    rows = []
    for row, (head, relation, tail) in enumerate(batch.positive):
        heads = model.views(head[None]), generated(head, row)
        tails = model.views(tail[None]), generated(tail, b + row)
        order = ((0, 0), (1, 0), (0, 1), (1, 1))
        scores = [score_of(model, heads[h], relation, tails[t]) for h, t in order]
        rows.append(torch.stack(scores))
    return torch.stack(rows)


@views_of
@pytest.mark.parametrize("shape", ["mixed", "shared head"])
def test_losses_are_those_of_triples_written_out(case, shape):
    strategy, batch = made(case), first_batch(shape)
    strategy.clock = Clock(epoch=1, epochs=3, step=2, steps=5, seed=4)
    scores = by_hand(strategy, batch, 1)
    pairs = sum(-logsigmoid(scores[:, 0]) - logsigmoid(-scores[:, i]) for i in (1, 2, 3)) / 2
    added = strategy(batch) - NegativeSampling(strategy.model, strategy.loss)(batch)
    torch.testing.assert_close(added, 0.3 * pairs.mean())
    compare_gradients(strategy.model, added, 0.3 * pairs.mean())
    scores = by_hand(strategy, batch, 2)
    pairs = sum(-logsigmoid(scores[:, i]) - logsigmoid(-scores[:, 0]) for i in (1, 2, 3)) / 2
    found = strategy.generator_loss(batch)
    torch.testing.assert_close(found, pairs.mean())
    compare_gradients(strategy.generators, found, pairs.mean())


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("make", [build, reciprocal], ids=["plain", "reciprocal"])
def test_every_shape_of_batch_has_fakes_of_its_positives(make, shape):
    strategy, batch = made("AdaMF", make), first_batch(shape)
    scores = by_hand(strategy, batch, 1)
    pairs = sum(-logsigmoid(scores[:, 0]) - logsigmoid(-scores[:, i]) for i in (1, 2, 3)) / 2
    added = strategy(batch) - NegativeSampling(strategy.model, strategy.loss)(batch)
    torch.testing.assert_close(added, 0.3 * pairs.mean())


@few
def test_a_weight_of_zero_is_negative_sampling_bit_by_bit(case):
    def trained(kind, **settings):
        torch.manual_seed(0)
        loss = SigmoidLoss(adv_temperature=1.0)
        strategy = kind(CASES[case](), loss, anchor_dropout=0.2, **settings)
        trainer = Trainer(strategy, loader(), 3, 0.02, opt_method="adam", **CPU)
        return trainer.run().losses, strategy.model

    losses, model = trained(MAT, weight=0.0)
    expected, plain = trained(NegativeSampling)
    assert losses == expected
    assert same(model, plain)


@few
def test_true_views_make_the_score_of_the_positive(case, monkeypatch):
    strategy, batch = made(case), first_batch("mixed")
    seen = []

    def truly(views, purpose):
        names = strategy.model.modal_views
        return {name: views[name] for view in names for name in (view, presence(view))}

    monkeypatch.setattr(strategy, "generate", truly)
    monkeypatch.setattr(
        strategy, "_against", lambda b, p, f, **o: (seen.append((p, f)), p.sum())[1]
    )
    strategy(batch)
    strategy.generator_loss(batch)
    assert len(seen) == 2
    for positive, fakes in seen:
        assert len(fakes) == 3
        for fake in fakes:
            torch.testing.assert_close(fake, positive)


def test_where_all_scores_are_zero_a_generator_s_loss_is_three_times_ln_2():
    strategy, batch = made("AdaMF"), first_batch("mixed")
    zeros = torch.zeros(len(batch))
    found = strategy._against(batch, zeros, [zeros] * 3, reversed_roles=True)
    assert found.item() == pytest.approx(3 * math.log(2))


def test_each_turn_moves_its_own_parameters():
    strategy, batch = made("AdaMF"), first_batch("mixed")
    strategy(batch).backward()
    assert all(p.grad is None for p in strategy.generators.parameters())
    assert all(p.grad.abs().sum() > 0 for p in strategy.model.parameters())
    first, second = strategy.turns()
    assert {*map(id, first.parameters)} == {*map(id, strategy.model.parameters())}
    assert {*map(id, second.parameters)} == {*map(id, strategy.generators.parameters())}
    assert (second.optimizer, second.lr) == ("adam", 1e-4)
    strategy.zero_grad()
    second.loss(batch).backward()
    assert all(p.grad.abs().sum() > 0 for p in strategy.generators.parameters())


def test_noise_is_new_in_each_turn_and_step_and_for_each_view():
    strategy, entities = made("AdaMF"), torch.arange(4)
    views = strategy.model.views(entities)
    same_structure = {**views, "entity": views["entity"][:1].expand(4, -1)}
    first = strategy.generate(same_structure, 1)
    assert not torch.isclose(first["image"][0], first["image"][1]).any()
    assert torch.equal(first["image"], strategy.generate(same_structure, 1)["image"])
    assert not torch.equal(first["image"], strategy.generate(same_structure, 2)["image"])
    strategy.clock = Clock(step=1, steps=3)
    assert not torch.equal(first["image"], strategy.generate(same_structure, 1)["image"])
    assert first[presence("image")].all()


def test_generators_learn_to_pass():
    torch.manual_seed(0)
    strategy = MAT(build("AdaMF"), SigmoidLoss(), hidden_dim=16, noise_dim=4, generator_lr=0.01)
    optimizer = torch.optim.Adam(strategy.generators.parameters(), lr=0.01)
    losses = []
    for batch in [next(iter(loader(batch_size=36)))] * 40:
        optimizer.zero_grad()
        loss = strategy.generator_loss(batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.01


@few
def test_it_trains_and_a_resumed_run_is_an_unbroken_one(case, tmp_path):
    def trainer(epochs):
        torch.manual_seed(0)
        strategy = MAT(CASES[case](), SigmoidLoss(), hidden_dim=8, noise_dim=4)
        return Trainer(strategy, loader(), epochs, 0.02, opt_method="adam", **CPU)

    whole, begun, resumed = trainer(6), trainer(3), trainer(6)
    losses = whole.run().losses
    assert losses[-1] < losses[0]
    begun.run()
    begun.save(tmp_path / "last.ckpt")
    resumed.resume(tmp_path / "last.ckpt")
    assert resumed.run().losses == losses
    assert same(whole.strategy, resumed.strategy)


def test_weights_of_triples_weigh_their_fakes():
    strategy = made("AdaMF")
    batch = next(iter(loader(weights="frequency")))
    assert isinstance(batch, Batch)
    found = strategy.generator_loss(batch)
    scores = by_hand(strategy, batch, 2)
    pairs = sum(-logsigmoid(scores[:, i]) - logsigmoid(-scores[:, 0]) for i in (1, 2, 3)) / 2
    torch.testing.assert_close(found, (batch.weight * pairs).sum() / batch.weight.sum())


def test_a_recipe_names_it_with_its_settings():
    objective = {"name": "MAT", "weight": 0.5}
    recipe = Recipe.from_dict(
        {"model": "AdaMF", "training": {"objective": objective, "loss": "SigmoidLoss"}}
    )
    built = recipe.build(graph(), make=lambda *_: build("AdaMF"))
    assert isinstance(built.strategy, MAT)
    assert built.strategy.config.weight == 0.5
    assert built.strategy.identity()["settings"]["noise_dim"] == 64


def test_what_it_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"MAT generates the modal views .* but TransE has none"):
        MAT(build("TransE"), MarginLoss())
    with pytest.raises(ValueError, match=r"MAT.weight is -1; expected a number, 0 or more"):
        MAT(build("AdaMF"), MarginLoss(), weight=-1)
    with pytest.raises(ValueError, match=r"MAT.noise_dim is 0; expected a whole number, 1 or"):
        MAT(build("AdaMF"), MarginLoss(), noise_dim=0)
