"""OTKGE: its score and its plans against formulas, and ComplEx inside it."""

import numpy as np
import pytest
import torch

from lbmkgc_models.fusion.transport import transport_plan
from lbmkgc_models.model.otkge import OTKGE
from lbmkgc_models.runs.make_model import model_maker
from openke.config import Trainer
from openke.data import QueryDataLoader
from openke.module.model import ComplEx
from openke.module.penalty import N3
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import OneVsAll
from openke.runs.recipe import Recipe
from tests.contracts.graphs import (
    BATCHES,
    ENTITIES,
    RELATIONS,
    both,
    facts,
    first_batch,
    graph,
    one,
)
from tests.lbmkgc_models.model.plain_formulas import (
    EVERYONE,
    cross_entropies,
    cubes,
    given_rows,
    gradients,
    hermitian,
    structural,
)

TRIPLES = (EVERYONE, EVERYONE % RELATIONS, (3 * EVERYONE + 1) % ENTITIES)
CPU = {"device": "cpu", "progress": False}


def made(features=None, triples=None, **settings):
    torch.manual_seed(0)
    settings = {"dim": 4, "init_scale": 1.0, "scale": 3.0, **settings}
    given = both() if features is None else features
    return OTKGE(ENTITIES, RELATIONS, given, facts() if triples is None else triples, **settings)


def sinkhorn(a, b, strength):
    """Return the plan, Float["f g"], by the iterations as they are usually written."""
    kernel = np.exp(-strength * (a[:, None] - b[None]) ** 2)
    v = np.ones(len(b))
    for _ in range(3000):
        u = 1 / len(a) / (kernel @ v)
        v = 1 / len(b) / (kernel.T @ u)
    return u[:, None] * kernel * v[None]


@pytest.mark.parametrize("strength", [0.01, 0.3, 2.0])
def test_a_plan_is_sinkhorn_s(strength):
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(3, 7)), generator.normal(size=(3, 5))
    found = transport_plan(torch.from_numpy(a), torch.from_numpy(b), strength)
    expected = np.mean([sinkhorn(x, y, strength) for x, y in zip(a, b, strict=True)], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.sum(dim=1), np.full(7, 1 / 7), rtol=1e-6)
    np.testing.assert_allclose(found.sum(dim=0), np.full(5, 1 / 5), rtol=1e-6)


def test_a_plan_is_finite_whatever_its_strength():
    a, b = 30 * torch.randn(2, 9), 30 * torch.randn(2, 6)
    found = transport_plan(a, b, 1e4)
    assert found.isfinite().all()
    torch.testing.assert_close(found.sum(dim=0), torch.full((6,), 1 / 6))
    nothing = transport_plan(a[:0], b[:0], 1.0)
    assert torch.equal(nothing, torch.zeros(9, 6))


def mixed(model, features):
    """Return e of all entities."""
    shares, s = model.config.modal_shares, structural(model)
    e = (1 - sum(shares[name] for name in features)) * s
    for name, projector in zip(sorted(features), model.projectors, strict=True):
        rows, there = given_rows(features[name])
        chosen = model.get_buffer(f"plan_of_{name}")
        strength = 0.1 * model.config.scale
        pairs = zip((rows * there)[chosen].numpy(), s[chosen].detach().numpy(), strict=True)
        plan = np.mean([sinkhorn(a, b, strength) for a, b in pairs], axis=0)
        moved = 2 * model.config.dim * model.config.scale * torch.from_numpy(plan)
        moved = moved + projector.layers.weight.T
        e = e + shares[name] * there * (rows @ moved)
    return e


def formula(model, features, triples):
    head, relation, tail = triples
    e = mixed(model, features)
    return hermitian(e[head], model.relation_embeddings(relation), e[tail])


@pytest.mark.parametrize("features", [both(), one()], ids=["image and text", "text"])
@pytest.mark.parametrize("settings", [{}, {"plan_of": "first", "plan_entities": 4}])
def test_triples_score_as_the_formula_says(features, settings):
    model = made(features, **settings).double()
    model.begin_epoch(0)  # in double precision
    found, expected = score_triples(model, *TRIPLES), formula(model, features, TRIPLES)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        gradients(model, found), gradients(model, expected), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("side", ["head", "tail"])
def test_all_candidates_score_as_the_formula_says(side):
    model = made().double()
    model.begin_epoch(0)
    anchor, relation = torch.tensor([0, 5, 5]), torch.tensor([1, 0, 3])
    known, other = anchor.repeat_interleave(ENTITIES), EVERYONE.repeat(3)
    head, tail = (other, known) if side == "head" else (known, other)
    expected = formula(model, both(), (head, relation.repeat_interleave(ENTITIES), tail))
    found = score_all(model, side, anchor, relation)
    torch.testing.assert_close(found, expected.view(3, ENTITIES), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", BATCHES)
def test_a_batch_scores_as_the_formula_says(shape):
    model, batch = made().double(), first_batch(shape)
    model.begin_epoch(0)
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    triples = [ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail)]
    expected = formula(model, both(), triples)
    torch.testing.assert_close(found, expected.view_as(found), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(
        gradients(model, found), gradients(model, expected), rtol=1e-6, atol=1e-6
    )


def test_queries_weigh_as_their_answers_and_n3_sees_fused_rows():
    model, store = made().double(), graph()
    model.begin_epoch(0)
    batch = next(QueryDataLoader(store, 16, answer_weights="frequency").epoch(0))
    counts = np.bincount(store.triples("train")[:, [0, 2]].flatten(), minlength=ENTITIES)
    weight = torch.from_numpy(0.1 + 0.9 * counts / counts.max())[batch.answer]
    e, r = mixed(model, both()), model.relation_embeddings(torch.arange(RELATIONS))
    expected = (weight * cross_entropies(e, r, batch)).sum() / weight.sum()
    parts = cubes(e[batch.anchor]) + cubes(r[batch.relation]) + cubes(e[batch.answer])
    loss, expected = OneVsAll(model, penalty=N3(0.3))(batch), expected + 0.3 * parts.mean()
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=1e-6)


def test_without_structure_every_number_of_a_feature_goes_everywhere():
    model = made(dim=7, scale=5.0)
    with torch.no_grad():
        for table in (model.ent_re_embeddings, model.ent_im_embeddings):
            table.weight.zero_()
    model.begin_epoch(0)
    for projector, width in zip(model.projectors, (5, 6), strict=True):
        plan = projector.layers.plan
        torch.testing.assert_close(plan, torch.full((14, width), 5.0 / width))


def test_it_is_complex_without_shares_of_modalities():
    model = made(modal_shares={"image": 0.0, "text": 0.0}).double()
    plain = ComplEx(ENTITIES, RELATIONS, dim=4).double()
    tables = {name: rows for name, rows in model.state_dict().items() if "embeddings" in name}
    plain.load_state_dict(tables)
    batch = next(QueryDataLoader(graph(), 16, answer_weights="frequency").epoch(0))
    assert torch.equal(score_triples(model, *TRIPLES), score_triples(plain, *TRIPLES))
    assert OneVsAll(model)(batch) == OneVsAll(plain)(batch)


def test_plans_are_of_seen_entities_with_the_modality():
    triples = [[0, 0, 1], [2, 1, 3], [4, 1, 5], [6, 2, 7]]
    for seed in range(5):
        model = made(triples=triples, plan_seed=seed, plan_entities=3)
        for name, found in both().items():
            chosen = model.get_buffer(f"plan_of_{name}")
            known = [i for i in range(8) if found.present[i]]
            assert set(chosen.tolist()) <= set(known)
            assert len(set(chosen.tolist())) == min(3, len(known))
    draws = {tuple(made(plan_seed=s).get_buffer("plan_of_text").tolist()) for s in range(5)}
    assert len(draws) == 5
    first = made(plan_of="first", plan_entities=4).get_buffer("plan_of_image")
    assert first.tolist() == [0, 1, 2, 3]


def test_plans_are_renewed_before_each_epoch_and_saved():
    torch.manual_seed(0)
    model, seen = made(), []
    renew = model.begin_epoch
    model.begin_epoch = lambda epoch: (renew(epoch), seen.append(plan(model).clone()))[0]
    Trainer(
        OneVsAll(model), QueryDataLoader(graph(), 16), 3, 0.1, opt_method="adagrad", **CPU
    ).run()
    assert len(seen) == 3
    assert not torch.allclose(seen[0], seen[1], atol=1e-4)
    assert torch.equal(plan(model), seen[2])
    again = made()
    again.load_state_dict(model.state_dict())
    assert torch.equal(plan(again), plan(model))
    assert torch.equal(score_triples(again, *TRIPLES), score_triples(model, *TRIPLES))


def plan(model):
    return model.projectors.text.layers.plan


def test_a_training_gives_it_the_facts_of_train():
    recipe = Recipe.from_dict({"model": {"name": "OTKGE", "dim": 4, "plan_entities": 100}})
    store = graph(entities=60, triples=30)
    small = graph()
    model = recipe.build(small, make=model_maker(both())).strategy.model
    seen = set(small.triples("train")[:, [0, 2]].flatten().tolist())
    expected = {i for i in seen if both()["text"].present[i]}
    assert set(model.get_buffer("plan_of_text").tolist()) == expected
    assert store.entity_count == 60


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="OTKGE takes features of one modality or more, got none"):
        OTKGE(ENTITIES, RELATIONS, {})
    with pytest.raises(ValueError, match=r"modal_shares.text is 1.5; expected a number from 0 to"):
        made(modal_shares={"text": 1.5})
    with pytest.raises(ValueError, match=r"modal_shares are 0.6 \+ 0.7, more than 1 together"):
        made(modal_shares={"image": 0.6, "text": 0.7})
    with pytest.raises(ValueError, match="modal_shares has no image, of which there are features"):
        made(modal_shares={"text": 0.5})
    with pytest.raises(ValueError, match="OTKGE: triples have entities from 0 to 90, expected 0 "):
        made(triples=[[0, 0, 90]])
