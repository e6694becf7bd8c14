"""RSME: its score, its likeness and its gate against formulas, and ComplEx inside it."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.mean_rank_percentage import mean_rank_percentages
from lbmkgc_models.model.rsme import RSME
from lbmkgc_models.runs.make_model import model_maker
from openke.data import QueryDataLoader
from openke.module.model import ComplEx, Reciprocal
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


def made(triples=None, **settings):
    torch.manual_seed(0)
    settings = {"dim": 5, "init_scale": None, **settings}
    triples = facts() if triples is None else triples
    return RSME(ENTITIES, RELATIONS, one(), triples, **settings).eval()


def mixed(model):
    """Return e of all entities."""
    rows, there = given_rows(one()["text"])
    (projector,) = model.projectors
    alpha = model.config.modal_share
    return (1 - alpha) * structural(model) + alpha * there * (rows @ projector.layers.weight.T)


def formula(model, triples):
    head, relation, tail = triples
    e, beta = mixed(model), model.config.structural_weight
    found = hermitian(e[head], model.relation_embeddings(relation), e[tail])
    rows, there = given_rows(one()["text"])
    likeness = cosine_similarity(rows[head], rows[tail]) * (there[head] & there[tail])[:, 0]
    return beta * found + (1 - beta) * model.gate[relation] * likeness


def test_triples_score_as_the_formula_says():
    model = made().double()
    assert 0 < model.gate.sum() < RELATIONS
    found, expected = score_triples(model, *TRIPLES), formula(model, TRIPLES)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


@pytest.mark.parametrize("side", ["head", "tail"])
def test_all_candidates_score_as_the_formula_says(side):
    model = made(structural_weight=0.2).double()
    anchor, relation = torch.tensor([0, 5, 5]), torch.tensor([1, 0, 3])
    known, other = anchor.repeat_interleave(ENTITIES), EVERYONE.repeat(3)
    head, tail = (other, known) if side == "head" else (known, other)
    expected = formula(model, (head, relation.repeat_interleave(ENTITIES), tail))
    found = score_all(model, side, anchor, relation)
    torch.testing.assert_close(found, expected.view(3, ENTITIES), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("training", [False, True])
def test_a_batch_scores_as_the_formula_says(shape, training):
    model, batch = made().double().train(training), first_batch(shape)
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    head, relation, tail = (ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail))
    if training:  # only where triples are ranked there is more than ComplEx's score
        e = mixed(model)
        expected = hermitian(e[head], model.relation_embeddings(relation), e[tail])
    else:
        expected = formula(model, (head, relation, tail))
    torch.testing.assert_close(found, expected.view_as(found), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_a_training_sees_the_fused_score_alone_and_fused_rows_in_n3():
    model = made().double().train()
    batch = next(QueryDataLoader(graph(), 16).epoch(0))
    e, r = mixed(model), model.relation_embeddings(torch.arange(RELATIONS))
    each = cross_entropies(e, r, batch)
    each = each + 0.3 * (cubes(e[batch.anchor]) + cubes(r[batch.relation]) + cubes(e[batch.answer]))
    loss, expected = OneVsAll(model, penalty=N3(0.3))(batch), each.mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(model, loss), gradients(model, expected))


def tables_of(model):
    return {name: values for name, values in model.state_dict().items() if "embeddings" in name}


def test_it_is_complex_without_pictures_and_likeness():
    model = made(structural_weight=1.0, modal_share=0.0).double()
    plain = ComplEx(ENTITIES, RELATIONS, dim=5).double()
    plain.load_state_dict(tables_of(model))
    batch = next(QueryDataLoader(graph(), 16).epoch(0))
    torch.testing.assert_close(score_triples(model, *TRIPLES), score_triples(plain, *TRIPLES))
    assert OneVsAll(model.train())(batch) == OneVsAll(plain)(batch)
    ranks = made(modal_share=0.0, remember=0.0).double()
    assert not ranks.gate.any()
    torch.testing.assert_close(2 * score_triples(ranks, *TRIPLES), score_triples(plain, *TRIPLES))


def test_likeness_is_the_same_both_ways():
    model = made(remember=1.0)
    with torch.no_grad():
        for table in (model.rel_re_embeddings, model.rel_im_embeddings):
            table.weight.zero_()
    there = score_triples(model, *TRIPLES)
    assert there.any()
    back = score_triples(model, TRIPLES[2], TRIPLES[1], TRIPLES[0])
    torch.testing.assert_close(back, there)


def percentages(triples, features):
    """Return the mean rank percentages, counted one by one."""
    joined = defaultdict(set)
    for h, r, t in triples:
        joined[h, t].add(r)
    there = features.present.tolist()
    alone = sorted(
        {(h, r, t) for h, r, t in triples if len(joined[h, t]) == 1 and there[h] and there[t]}
    )
    rows = features.values.double()
    tails = sorted({t for _, _, t in alone})
    of_heads = defaultdict(list)
    for h, r, t in alone:
        cosines = cosine_similarity(rows[h][None], rows[tails])
        own = cosines[tails.index(t)]
        greater, equal = (cosines > own + 1e-9).sum(), ((cosines - own).abs() <= 1e-9).sum()
        of_heads[r, h].append((greater + (equal + 1) / 2) / len(tails))
    found = np.full(RELATIONS, np.inf)
    for r in {r for r, _ in of_heads}:
        found[r] = np.mean([np.mean(ranks) for (q, _), ranks in of_heads.items() if q == r])
    return found


@pytest.mark.parametrize("seed", range(4))
def test_ranks_are_those_counted_one_by_one(seed, monkeypatch):
    triples = graph(seed, triples=200).triples("train")
    found = mean_rank_percentages(torch.from_numpy(np.array(triples)), one()["text"], RELATIONS)
    np.testing.assert_allclose(found, percentages(triples.tolist(), one()["text"]), rtol=1e-6)
    monkeypatch.setattr("lbmkgc_models.fusion.mean_rank_percentage.BLOCK", 30)
    again = mean_rank_percentages(torch.from_numpy(np.array(triples)), one()["text"], RELATIONS)
    torch.testing.assert_close(again, found)


def test_tails_that_are_alike_but_for_rounding_share_a_rank():
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randint(-50, 50, (2, 64), generator=generator).float()
    rows = numbers[1] * torch.arange(ENTITIES)[:, None]  # of one direction, exactly
    rows[0] = numbers[0]
    names = [f"entity {i}" for i in range(ENTITIES)]
    features = ModalFeatures.from_rows("text", names, rows, names)
    triples = torch.tensor([[0, int(t > 3), t] for t in range(1, 21)])
    found = mean_rank_percentages(triples, features, RELATIONS)
    assert found.tolist() == pytest.approx([10.5 / 20, 10.5 / 20, np.inf, np.inf], rel=1e-9)


def test_gates_are_saved_and_not_found_again():
    trained, fresh = made(), made(triples=())
    assert trained.gate.any()
    assert not fresh.gate.any()
    assert fresh.identity() == trained.identity()
    fresh.load_state_dict(trained.state_dict())
    assert torch.equal(fresh.gate, trained.gate)


def test_a_gate_is_open_where_pictures_tell_the_tails():
    expected = percentages(facts().tolist(), one()["text"])
    for remember in (0.0, 0.5, 0.6, 1.0):
        assert made(remember=remember).gate.tolist() == (expected < remember).tolist()
    assert not made(triples=()).gate.any()
    two = made(triples=[[0, 1, 5], [0, 2, 5]], remember=1.0)  # joined by two relations
    assert not two.gate.any()


def test_it_is_made_of_train_alone_and_inverses_share_gates():
    recipe = Recipe.from_dict(
        {"model": {"name": "RSME", "dim": 4}, "training": {"reciprocal": True}}
    )
    store = graph(triples=200)
    model = recipe.build(store, make=model_maker(one())).strategy.model
    assert isinstance(model, Reciprocal)
    gate = percentages(store.triples("train").tolist(), one()["text"]) < 0.5
    assert gate.any()
    assert model.inner.gate.tolist() == [*gate, *gate]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="RSME takes features of one modality or more, got none"):
        RSME(ENTITIES, RELATIONS, {})
    with pytest.raises(ValueError, match="RSME takes features of one modality, got image, text"):
        RSME(ENTITIES, RELATIONS, both())
    with pytest.raises(ValueError, match=r"modal_share is 1.0; expected a number from 0 to below"):
        made(modal_share=1.0)
    for name in ("structural_weight", "remember"):
        with pytest.raises(ValueError, match=rf"{name} is 1.5; expected a number from 0 to 1"):
            made(**{name: 1.5})
    with pytest.raises(ValueError, match="RSME: triples have relations from 0 to 9, expected 0 to"):
        made(triples=[[0, 0, 1], [0, 9, 1]])
