"""KBGAN: who is chosen, what the generator learns from it, and that nothing else changes."""

import math

import pytest
import torch
from torch.nn.functional import relu

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.model import MODELS, Reciprocal, TransE
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.negatives import of_slot
from openke.module.scoring.triples import score_triples
from openke.module.strategy import KBGAN, NegativeSampling
from openke.module.strategy.clock import Clock
from openke.module.strategy.kbgan import (
    candidate_logits,
    choose,
    is_fact,
    make_generator,
    reinforce,
)
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, graph
from tests.openke.training.stopping import StopAt

CANDIDATES = {"neg_ent": 6, "bern_flag": True, "filter_flag": False, "one_slot": True}
CPU = {"device": "cpu", "progress": False}


def loader(store=None, **options):
    options = {"batch_size": 12, **CANDIDATES, **options}
    return TrainDataLoader(store if store is not None else graph(), **options)


def strategy(case="TransE", loss=None, **settings):
    settings = {"generator_settings": {"dim": 5}, **settings}
    return KBGAN(build(case), loss or MarginLoss(margin=3.0), **settings)


def first_batch(**options):
    return next(iter(loader(**options).epoch(0)))


def test_the_loss_of_a_choice_is_the_one_by_hand():
    logits = torch.tensor([[0.0, math.log(3)]], requires_grad=True)
    loss = reinforce(logits, torch.tensor([1]), torch.tensor([2.0]), torch.tensor(1.0))
    loss.backward()
    assert loss.item() == pytest.approx(0.2877, abs=1e-4)
    torch.testing.assert_close(logits.grad, torch.tensor([[0.25, -0.25]]))


def test_candidates_are_drawn_with_the_softmax_of_their_logits():
    logits = torch.tensor([[0.3, -1.0, torch.finfo(torch.float).min, 2.0]])
    noise = Clock().uniform(1, (40_000,), torch.device("cpu"))
    drawn = choose(logits.expand(len(noise), -1), noise)
    expected = logits[0].softmax(0) * len(noise)
    counts = torch.bincount(drawn, minlength=4)
    assert counts[2] == 0
    kept = expected > 0
    assert ((counts - expected)[kept] ** 2 / expected[kept]).sum() < 20  # 2 degrees of freedom


def test_the_fact_itself_is_never_chosen():
    batch = first_batch(batch_size=40)
    facts = is_fact(batch)
    slots = {0: batch.positive[:, 0], 2: batch.positive[:, 2]}
    for row in range(len(batch)):
        for column in range(batch.negative.shape[1]):
            truth = slots[int(batch.slot[row, column])][row]
            assert facts[row, column] == (batch.negative[row, column] == truth)
    assert facts.any(), "unfiltered, some candidate is the fact"
    trained = strategy()
    logits = candidate_logits(trained.generator(batch), batch)
    assert (logits.softmax(1)[facts] == 0).all()


@pytest.mark.parametrize("case", ["TransE", "TransD", "RotatE", "LBMKGC", "TuckER", "IKRL"])
@pytest.mark.parametrize("generator", ["DistMult", "ComplEx", "TransD"])
def test_losses_and_gradients_are_those_of_plain_pytorch(case, generator):
    sizes = {"dim_e": 4, "dim_r": 4} if generator == "TransD" else {"dim": 5}
    trained = strategy(
        case, generator=generator, generator_settings=sizes, generator_regul_rate=0.1
    ).double()
    trained.baseline.fill_(0.7)
    batch = first_batch()
    loss = trained(batch)
    chosen, reward = trained._choice, trained._reward
    play = trained.generator_loss(batch)

    each = torch.arange(len(batch))
    scores = of_slot(trained.model(batch).negative, batch)[each, chosen]
    facts = trained.model(batch).positive
    slot = batch.slot[:, 0]
    if len(facts) > len(batch):
        facts = torch.where(slot == 0, facts[len(batch) :], facts[: len(batch)])
    torch.testing.assert_close(reward, scores.detach())
    expected = relu(3 - facts + scores).mean()
    torch.testing.assert_close(loss, expected)
    own = list(trained.model.parameters())
    found = torch.autograd.grad(loss, own, retain_graph=True, allow_unused=True)
    torch.testing.assert_close(
        [g for g in found if g is not None],
        [g for g in torch.autograd.grad(expected, own, allow_unused=True) if g is not None],
    )

    out = trained.generator(batch)
    weights = candidate_logits(out, batch).exp()
    p = weights[each, chosen] / weights.sum(1)
    by_hand = -((scores.detach() - 0.7) * p.log()).sum() / len(batch)
    by_hand = by_hand + 0.1 * trained.generator.regularization(out)
    torch.testing.assert_close(play, by_hand)
    theirs = list(trained.generator.parameters())
    torch.testing.assert_close(
        torch.autograd.grad(play, theirs), torch.autograd.grad(by_hand, theirs)
    )


@pytest.mark.parametrize("case", ["DistMult", "TransE"])
def test_a_reciprocal_model_is_rewarded_for_the_query_that_was_asked(case):
    torch.manual_seed(0)
    inner = type(build(case))(ENTITIES, 2 * RELATIONS, dim=6)
    trained = KBGAN(Reciprocal(inner), SigmoidLoss(), generator_settings={"dim": 5})
    batch = first_batch()
    trained(batch).backward()
    chosen = batch.choose(trained._choice[:, None])
    for row in range(len(batch)):
        head, relation, tail = batch.positive[row, :, None]
        other = chosen.negative[row]
        if chosen.slot[row, 0] == 0:
            known, asked = tail, relation + RELATIONS
        else:
            known, asked = head, relation
        query = inner.query(inner.encode(known), asked, "tail")
        expected = inner.match(query, inner.encode(other), ALL_PAIRS)[0, 0]
        torch.testing.assert_close(trained._reward[row], expected.detach())


def test_equal_logits_make_it_negative_sampling_with_one_even_draw():
    """What a generator that knows nothing chooses is spread evenly over the candidates."""
    trained = strategy()
    for parameter in trained.generator.parameters():
        parameter.data.zero_()
    counts, steps = torch.zeros(6), 400
    batch = first_batch(filter_flag=True)
    for step in range(steps):
        trained.clock = Clock(step=step, steps=steps)
        loss = trained(batch)
        counts += torch.bincount(trained._choice, minlength=6)
    alone = NegativeSampling(trained.model, trained.loss)(batch.choose(trained._choice[:, None]))
    assert torch.equal(loss, alone)
    expected = steps * len(batch) / 6
    assert ((counts - expected) ** 2 / expected).sum() < 25  # 5 degrees of freedom


def test_the_baseline_is_the_mean_reward_of_the_last_epoch():
    trained = strategy()
    rewards = []

    class Told(Trainer):
        def _train_on(self, batch):
            loss = super()._train_on(batch)
            rewards.append((self.epoch, trained.baseline.item(), trained._reward))
            return loss

    data = loader()
    Told(trained, data, 3, 0.01, opt_method="adam", **CPU).run()
    steps = len(data)
    for epoch in (1, 2):
        mean = torch.cat([r for e, _, r in rewards if e == epoch - 1]).mean().item()
        told = [baseline for e, baseline, _ in rewards if e == epoch]
        assert told[: steps - 1] == pytest.approx([mean] * (steps - 1), rel=1e-5)
    assert rewards[0][1] == 0


def test_at_first_the_model_learns_from_even_draws_and_the_generator_from_facts():
    trained = strategy(pretrain=0.5).double()
    batch = first_batch()
    for parameter in trained.generator.parameters():
        torch.nn.init.normal_(parameter, std=3)  # it would choose far from evenly
    counts = torch.zeros(6)
    for step in range(200):
        trained.clock = Clock(step=step, steps=200, epochs=2)
        assert trained.pretraining
        trained(batch)
        counts += torch.bincount(trained._choice, minlength=6)
        assert not is_fact(batch).gather(1, trained._choice[:, None]).any()
    assert counts.max() < 1.5 * counts.min()
    found = trained.generator_loss(batch)
    scores = trained.generator(batch)
    kept = torch.where(is_fact(batch), 0, scores.negative.exp()).sum(1)
    expected = -(scores.positive.exp() / (scores.positive.exp() + kept)).log().mean()
    torch.testing.assert_close(found, expected)
    assert not trained.rewards.any()
    trained.clock = Clock(epoch=1, step=0, steps=200, epochs=2)
    assert not trained.pretraining


def test_turns_move_their_own_parameters_by_their_own_rates():
    trained = strategy(generator_lr=0.5)
    first, second = trained.turns()
    assert {id(p) for p in first.parameters} == {id(p) for p in trained.model.parameters()}
    assert {id(p) for p in second.parameters} == {id(p) for p in trained.generator.parameters()}
    trainer = Trainer(trained, loader(), 1, 0.01, opt_method="adam", **CPU)
    assert [moved.optimizer.param_groups[0]["lr"] for moved in trainer._turns] == [0.01, 0.5]
    before = {n: p.clone() for n, p in trained.named_parameters()}
    trainer.run()
    for name, parameter in trained.named_parameters():
        assert not torch.equal(before[name], parameter), name


def test_rows_stay_in_the_unit_ball():
    torch.manual_seed(0)
    model = TransE(ENTITIES, RELATIONS, dim=6, norm_flag=False, margin=20.0, epsilon=2.0)
    trained = KBGAN(model, MarginLoss(), unit_ball=True, generator_settings={"dim": 5})
    before = model.ent_embeddings.weight.detach().clone()
    assert before.norm(dim=1).min() > 1
    trained.constrain()
    rows = model.ent_embeddings.weight.detach()
    torch.testing.assert_close(rows, before / before.norm(dim=1, keepdim=True))
    Trainer(trained, loader(), 2, 0.5, opt_method="adam", **CPU).run()
    for table in (model.ent_embeddings, model.rel_embeddings):
        assert table.weight.norm(dim=1).max() <= 1 + 1e-6


def test_first_scores_of_a_generator_spread_as_published():
    torch.manual_seed(0)
    for name, dim in (("DistMult", 50), ("DistMult", 100)):
        made = make_generator(name, 2000, 100, {"dim": dim})
        ids = torch.arange(2000)
        scores = score_triples(made, ids, ids % 100, ids.flip(0))
        assert scores.std().item() == pytest.approx(0.2, rel=0.1)
    given = make_generator("DistMult", 2000, 100, {"dim": 50, "init_scale": 0.5})
    assert given.config.init_scale == 0.5


@pytest.mark.parametrize("name", [n for n in MODELS if n in CASES and not MODELS[n].needs_triples])
def test_any_model_over_structure_may_choose(name):
    torch.manual_seed(0)
    trained = strategy(generator=name, generator_settings={})
    batch = trained.prepare(first_batch())
    trained(batch)
    trained.generator_loss(batch).backward()
    assert any(p.grad is not None and p.grad.any() for p in trained.generator.parameters())


def test_a_resumed_run_is_an_unbroken_one(tmp_path):
    def trainer(epochs):
        torch.manual_seed(0)
        trained = strategy(pretrain=0.3, generator_lr=0.05)
        return Trainer(trained, loader(), epochs, 0.02, opt_method="adam", **CPU)

    whole, begun, resumed = trainer(4), trainer(4), trainer(4)
    whole.run()
    begun.callbacks.append(StopAt(2))
    begun.run()
    begun._stopped = None
    begun.callbacks.clear()
    begun.save(tmp_path / "last.ckpt")
    torch.manual_seed(99)
    resumed.resume(tmp_path / "last.ckpt")
    resumed.run()
    assert resumed.history.losses == whole.history.losses
    for (name, value), other in zip(
        whole.strategy.state_dict().items(), resumed.strategy.state_dict().values(), strict=True
    ):
        assert torch.equal(value, other), name


def test_what_it_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"generator is 'DistMul' \(did you mean DistMult\?\)"):
        strategy(generator="DistMul")
    with pytest.raises(ValueError, match="generator is 'GCOTE', which is made with the facts of"):
        strategy(generator="GCOTE")
    with pytest.raises(ValueError, match="DistMult has no setting 'width'"):
        strategy(generator_settings={"width": 3})
    with pytest.raises(ValueError, match=r"pretrain is 1.0; expected a number from 0 to below 1"):
        strategy(pretrain=1.0)
    shared = next(iter(loader(negatives="shared", one_slot=False).epoch(0)))
    with pytest.raises(
        ValueError, match=r"KBGAN: expected .*, found shared ones: set negatives to own"
    ):
        strategy()(shared)
