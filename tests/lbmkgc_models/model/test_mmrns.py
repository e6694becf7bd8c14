"""MMRNS: who is alike, who is drawn, and what the model learns from it."""

import math

import pytest
import torch
from torch.nn.functional import leaky_relu, logsigmoid

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.relational_similarity import CrossAttention, Crossed
from lbmkgc_models.model import mmrns
from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import MMRNS, NegativeSampling
from openke.module.strategy.clock import Clock
from openke.module.strategy.mmrns import contrast, temperature
from openke.module.strategy.straight_through import draw_rows
from tests.contracts.graphs import (
    ENTITIES,
    RELATIONS,
    both,
    build,
    first_batch,
    graph,
    one,
    reciprocal,
)
from tests.openke.training.test_trainer import CPU, same

CANDIDATES = {"neg_ent": 15, "negatives": "shared", "sampling_mode": "cross"}


def loader(**options):
    options = {"batch_size": 12, "weights": "frequency", **CANDIDATES, **options}
    return TrainDataLoader(graph(), **options)


def first(**options):
    return next(iter(loader(**options).epoch(0)))


def strategy(model=None, draws=4, **settings):
    model = build("MMRNS") if model is None else model
    return MMRNS(model, SigmoidLoss(adv_temperature=0.5), draws=draws, **settings)


def test_it_scores_as_its_interaction_does():
    for case in ("MMRNS", "MMRNS TransD"):
        model, batch = build(case), first_batch("mixed")
        assert torch.equal(model(batch).negative, score_batch(model.inner, batch).negative)


def by_hand(model, features, entity, relation):
    """Return what a relation sees of an entity: vectors by view, None where it lacks one."""
    sampler, found = model.sampler, {}
    r = model.inner.relation_embeddings(torch.tensor([relation]))[0]
    norm = sampler.norm if features else None
    parts = {}
    for name, given in features.items():
        row = sampler.inputs[name](given.values[entity].to(r.dtype))
        parts[name] = leaky_relu(row, 0.1) * given.present[entity]
    for name, given in features.items():
        own = parts[name]
        (other,) = [p for n, p in parts.items() if n != name] or [torch.zeros_like(own)]
        attention = sampler.attention[name]
        gate = torch.sigmoid(attention.gate.weight @ r + attention.gate.bias)[0]
        # One part each: the softmax over one number is 1.
        seen = norm(own) + norm(gate * (own @ other) * own)
        vector = attention.projection.weight @ seen + attention.projection.bias
        found[name] = vector if given.present[entity] else None
    s = model.inner.entity_embeddings(torch.tensor([entity]))[0]
    hidden = leaky_relu(sampler.first.weight @ torch.cat([s, r]) + sampler.first.bias, 0.1)
    found["structure"] = s * torch.sigmoid(sampler.second.weight @ hidden + sampler.second.bias)
    return found


@pytest.mark.parametrize("block", [mmrns.BLOCK, 1])
@pytest.mark.parametrize("features", [both, one, dict])
def test_similarities_are_those_of_the_formulas(features, block, monkeypatch):
    monkeypatch.setattr(mmrns, "BLOCK", block)
    monkeypatch.setattr(mmrns, "KEPT", block)
    torch.manual_seed(0)
    features = features()
    model = mmrns.MMRNS(
        ENTITIES, RELATIONS, features, dim=4, interaction_settings={"dim": 6}
    ).double()
    entities, relation = torch.tensor([0, 3, 7, 3, 19, 5]), torch.tensor([2, 0, 2, 1, 0, 3])
    candidates = torch.tensor([1, 3, 4, 8, 9, 19, 22])
    found = model.similarities(entities, candidates, relation)
    assert set(found) == {"structure", *features}
    for name, cosines in found.items():
        for row in range(len(entities)):
            for column, candidate in enumerate(candidates.tolist()):
                a = by_hand(model, features, int(entities[row]), int(relation[row]))[name]
                b = by_hand(model, features, candidate, int(relation[row]))[name]
                lacks = a is None or b is None
                expected = torch.zeros(()) if lacks else a @ b / a.norm() / b.norm()
                torch.testing.assert_close(cosines[row, column], expected.to(cosines.dtype))


def test_attention_of_several_parts_is_the_one_by_hand():
    torch.manual_seed(0)
    p, q, k, r = 3, 2, 5, 4
    attention, norm = CrossAttention(p, q, k, r).double(), torch.nn.LayerNorm(k).double()
    own, other, relation = torch.randn(6, p, k), torch.randn(6, q, k), torch.randn(r)
    own, other, relation = own.double(), other.double(), relation.double()
    cross = other @ own.transpose(1, 2)
    crossed = Crossed(own, cross, norm(cross.softmax(dim=2) @ own), torch.ones(6).bool())
    found = attention(crossed, attention.gates(relation[None]), norm)
    for row in range(6):
        v, x = own[row], other[row]
        c = v @ x.T  # [p q]
        gate = torch.sigmoid(attention.gate(relation)).view(p, q)
        seen = norm(torch.softmax(c.T, dim=1) @ v) + norm((gate * c).T @ v)
        torch.testing.assert_close(found[row], attention.projection(seen.reshape(-1)))


def test_an_entity_may_have_several_rows_of_a_modality():
    torch.manual_seed(0)
    names = [f"entity {i}" for i in range(ENTITIES)]
    rows = torch.randn(5, 6)
    several = ModalFeatures.from_rows(
        "image", [*names[:2], names[1], names[1], names[4]], rows, names, several=True
    )
    model = mmrns.MMRNS(ENTITIES, RELATIONS, {**both(), "image": several}, dim=4)
    seen = model.sampler.see(torch.tensor([0, 1, 2, 4]), torch.zeros(4, 100))
    parts = seen.modal["image"].own
    assert parts.shape == (4, 3, 4)
    assert seen.modal["image"].there.tolist() == [True, True, False, True]
    project = model.sampler.inputs["image"]
    torch.testing.assert_close(parts[1], leaky_relu(project(rows[1:4]), 0.1))
    assert not parts[0, 1:].any()
    assert not parts[2].any()
    ids = torch.arange(ENTITIES)
    found = model.similarities(ids, ids, ids % RELATIONS)
    assert all(cosines.shape == (ENTITIES, ENTITIES) for cosines in found.values())
    torch.testing.assert_close(found["image"][:2, :2].diag(), torch.ones(2))
    assert not found["image"][2].any()


def test_draws_have_the_gradient_of_mixtures():
    """Straight through: each draw by itself, in PyTorch's own operators."""
    torch.manual_seed(0)
    rows = torch.randn(7, 3, dtype=torch.double, requires_grad=True)
    logits = torch.randn(4, 7, dtype=torch.double, requires_grad=True)
    weights = torch.randn(4, 3, 3, dtype=torch.double)
    drawn = logits.detach().topk(3, dim=1).indices
    found = draw_rows(rows, logits, drawn).view(4, 3, 3)
    expected, left = [], logits
    for j in range(3):
        soft = left.softmax(1)
        hard = torch.nn.functional.one_hot(drawn[:, j], 7).double()
        straight = hard + soft - soft.detach()
        # Of rows the gradient is that of what was drawn alone.
        expected.append(hard @ rows + (straight - hard) @ rows.detach())
        left = left.masked_fill(hard.bool(), -math.inf)
    expected = torch.stack(expected, dim=1)
    torch.testing.assert_close(found, expected)
    for a, b in zip(
        torch.autograd.grad((found.square() * weights).sum(), (rows, logits)),
        torch.autograd.grad((expected.square() * weights).sum(), (rows, logits)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("block", [mmrns.BLOCK, 1])
@pytest.mark.parametrize("case", ["MMRNS", "MMRNS TransD"])
def test_loss_and_gradients_are_those_of_plain_pytorch(case, block, monkeypatch):
    model, batch = build(case).double(), first()
    trained = strategy(model)
    trained.clock = Clock(step=6, steps=50)
    monkeypatch.setattr(mmrns, "BLOCK", block)
    monkeypatch.setattr(mmrns, "KEPT", block)
    loss = trained(batch)
    drawn = trained._drawn
    monkeypatch.setattr(mmrns, "BLOCK", 2**30)
    relation, slot = batch.positive[:, 1], batch.slot
    replaced = torch.where(slot == 0, batch.positive[:, 0], batch.positive[:, 2])
    cosines = model.similarities(replaced, batch.negative, relation)
    t = 10 / (1 + math.log(7))
    chances = sum(
        (cos / t).exp() / (cos / t).exp().sum(1, keepdim=True) for cos in cosines.values()
    )
    noise = trained.clock.uniform(1, tuple(chances.shape), chances.device).double()
    keys = chances.log() - (-noise.log()).log()
    keys = keys.masked_fill(batch.mask, -math.inf)
    assert torch.equal(drawn, keys.topk(4, dim=1).indices)

    # What is drawn is a mixture on the way back, added to the table of entities.
    whole = score_triples(model, *batch.positive.t())
    table = model.encode(batch.negative)
    made, left = [], keys
    for j in range(4):
        soft = left.softmax(1)
        hard = torch.nn.functional.one_hot(drawn[:, j], len(batch.negative)).double()
        made.append(
            {n: hard @ rows + (soft - soft.detach()) @ rows.detach() for n, rows in table.items()}
        )
        left = left.masked_fill(hard.bool(), -math.inf)
    scores = torch.stack(
        [
            torch.stack(
                [
                    scored(model, batch.positive[row], int(slot[row]), one_of(rows, row))
                    for row in range(12)
                ]
            )
            for rows in made
        ],
        dim=1,
    )
    share = (0.5 * scores.detach()).softmax(1)
    terms = (share * logsigmoid(-scores)).sum(1)
    w = batch.weight
    expected = -((w * logsigmoid(whole)).sum() + (w * terms).sum()) / w.sum() / 2
    for cos in cosines.values():
        weight = torch.ones_like(cos)
        for row in range(12):
            weight[row, drawn[row]] = share[row]
        values = weight * cos.exp()
        expected = expected - values[batch.mask].sum().log() / 100 / len(cosines)
        expected = expected + values[~batch.mask].sum().log() / 100 / len(cosines)
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    monkeypatch.setattr(mmrns, "BLOCK", block)
    monkeypatch.setattr(mmrns, "KEPT", block)
    found = torch.autograd.grad(loss, parameters, retain_graph=True)
    torch.testing.assert_close(found, torch.autograd.grad(expected, parameters))
    for (name, _), gradient in zip(model.named_parameters(), found, strict=True):
        # Of one modality there is no other one that a gate could weigh.
        assert gradient.any() or (case != "MMRNS" and ".gate." in name), name


def one_of(rows, row):
    return {name: tensor[row, None] for name, tensor in rows.items()}


def scored(model, triple, slot, other):
    """Return the score of a triple whose slot holds an encoded entity."""
    ends = [model.encode(triple[0, None]), model.encode(triple[2, None])]
    ends[0 if slot == 0 else 1] = other
    if model.projects_entities:
        ends = [model.project(end, triple[1, None]) for end in ends]
    return model.match(model.query(ends[0], triple[1, None], "tail"), ends[1], ALL_PAIRS)[0, 0]


def test_entities_that_are_all_alike_are_drawn_evenly_and_facts_never():
    model = build("MMRNS")
    for parameter in model.sampler.parameters():
        parameter.data.zero_()
    model.inner.ent_embeddings.weight.data.fill_(1.0)
    trained, batch = strategy(model), first(neg_ent=ENTITIES)
    assert batch.mask.any()
    counts = torch.zeros(batch.mask.shape)
    steps = 300
    for step in range(steps):
        trained.clock = Clock(step=step, steps=steps)
        trained(batch)
        drawn = trained._drawn
        assert all(len(row.unique()) == 4 for row in drawn)
        counts.scatter_add_(1, drawn, torch.ones(drawn.shape))
    assert not counts[batch.mask].any()
    free = ~batch.mask
    expected = (steps * 4 / free.sum(1, keepdim=True)).expand_as(counts)[free]
    chi = ((counts[free] - expected) ** 2 / expected).sum().item()
    freedom = int(free.sum()) - len(batch)
    assert abs(chi - freedom) < 5 * math.sqrt(2 * freedom)


def test_the_temperature_falls_with_the_steps():
    at = [temperature(10.0, Clock(step=step, steps=100_000)) for step in (0, 99_999)]
    assert at == pytest.approx([10, 0.799], abs=5e-4)
    assert temperature(10.0, Clock(epoch=2, epochs=3, step=0, steps=5)) == pytest.approx(
        10 / (1 + math.log(11))
    )


def test_the_contrast_is_the_one_by_hand():
    cosines = torch.tensor([[0.5, -0.5, 0.0], [1.0, 0.2, 0.0]])
    facts = torch.tensor([[True, False, False], [False, True, False]])
    drawn, share = torch.tensor([[1], [2]]), torch.tensor([[0.25], [1.0]])
    true = math.exp(0.5) + math.exp(0.2)
    false = 0.25 * math.exp(-0.5) + 1 + math.e + 1
    found = contrast(cosines, facts, drawn, share)
    assert found.item() == pytest.approx(-math.log(true / false))
    cosines.requires_grad_()
    nothing = contrast(cosines, torch.zeros_like(facts), drawn, share)
    nothing.backward()
    assert nothing.item() == 0
    assert not cosines.grad.any()


def test_a_reciprocal_model_draws_too():
    batch = first()
    trained = MMRNS(reciprocal("MMRNS"), SigmoidLoss(adv_temperature=0.5), draws=4)
    trained(batch).backward()
    assert all(p.grad.isfinite().all() for p in trained.parameters() if p.grad is not None)
    mixed = next(iter(loader(sampling_mode="normal").epoch(0)))
    assert trained(mixed).isfinite()


def test_draws_that_run_out_of_others_leave_facts_uncounted():
    batch = first(neg_ent=ENTITIES)
    trained = strategy(draws=ENTITIES, contrast=0.0)
    loss = trained(batch)
    facts = batch.mask.gather(1, trained._drawn)
    assert facts.any()
    scores = score_batch(trained.model, batch)
    expected = trained.loss(scores.positive, scores.negative, batch.mask, weight=batch.weight)
    torch.testing.assert_close(loss, expected)


def test_it_learns_and_a_resumed_run_is_an_unbroken_one(tmp_path):
    def trainer(epochs):
        torch.manual_seed(0)
        trained = strategy(mmrns.MMRNS(ENTITIES, RELATIONS, both(), dim=4))
        return Trainer(trained, loader(), epochs, 0.02, opt_method="adam", **CPU)

    whole, begun, resumed = trainer(6), trainer(3), trainer(6)
    losses = whole.run().losses
    assert losses[-1] < losses[0]
    begun.run()
    begun.save(tmp_path / "last.ckpt")
    resumed.resume(tmp_path / "last.ckpt")
    assert resumed.run().losses == losses
    assert same(whole.strategy, resumed.strategy)


def test_what_it_does_not_take_is_named():
    with pytest.raises(ValueError, match=r"MMRNS draws entities that are alike.* TransE does not"):
        strategy(build("TransE"))
    with pytest.raises(ValueError, match=r"MMRNS\.draws is 30, but a batch has 15 candidates"):
        strategy(draws=30).check_loader(loader().settings)
    own = loader(negatives="own", weights="even").settings
    with pytest.raises(ValueError, match="found own ones: set negatives to shared"):
        strategy().check_loader(own)
    with pytest.raises(ValueError, match="interaction is 'GCOTE', which is made with the facts"):
        mmrns.MMRNS(ENTITIES, RELATIONS, both(), interaction="GCOTE")
    with pytest.raises(ValueError, match="interaction is 'TransEE'"):
        mmrns.MMRNS(ENTITIES, RELATIONS, both(), interaction="TransEE")
    three = {**both(), "sound": both()["text"]}
    with pytest.raises(ValueError, match="at most 2 modalities, got image, text, sound"):
        mmrns.MMRNS(ENTITIES, RELATIONS, three)


def test_it_says_that_a_step_of_another_objective_moves_a_part_alone():
    model = build("MMRNS")
    NegativeSampling(model, SigmoidLoss())(first_batch("mixed")).backward()
    assert any(each.grad is None for each in model.parameters())
    assert not model.moves_whole
