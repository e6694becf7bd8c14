"""Auxiliary losses: what a model adds to the loss of any objective."""

from dataclasses import replace

import pytest
import torch

from openke.data import QueryDataLoader, TrainDataLoader
from openke.data.store import TripleStore
from openke.module.loss import MarginLoss, SigmoidLoss
from openke.module.model import Reciprocal, TransE
from openke.module.strategy import NegativeSampling, OneVsAll
from openke.runs.recipe import Recipe
from tests.contracts.graphs import BATCHES, ENTITIES, RELATIONS, first_batch, graph


class Short(TransE):
    """TransE that would like heads to be short and tails to be long."""

    auxiliary_losses = ("short", "counted")

    def auxiliary_loss(self, name, rows, head, relation, tail):
        if name == "counted":
            return torch.tensor(float(len(relation)))
        length = rows["entity"].square().sum(dim=1)
        return (length[head] - length[tail]).mean()


def short(relations=RELATIONS):
    torch.manual_seed(0)
    return Short(ENTITIES, relations, dim=6, norm_flag=False)


def test_it_is_added_with_its_weight_over_all_triples_scored():
    model = short()
    batch = next(iter(TrainDataLoader(graph(), batch_size=8, neg_ent=3)))
    loss = MarginLoss(margin=2.0)
    plain = NegativeSampling(model, loss)(batch)
    found = NegativeSampling(model, loss, auxiliary={"short": 0.3, "counted": 2.0})(batch)
    length = model.ent_embeddings.weight.square().sum(dim=1)
    added = 0.3 * (length[batch.head] - length[batch.tail]).mean() + 2.0 * 8 * 4
    torch.testing.assert_close(found, plain + added)


def test_against_all_entities_it_is_over_the_facts():
    model = short()
    batch = next(QueryDataLoader(graph(), batch_size=8).epoch(0))
    found = OneVsAll(model, auxiliary={"short": 1.0})(batch) - OneVsAll(model)(batch)
    length = model.ent_embeddings.weight.square().sum(dim=1)
    torch.testing.assert_close(found, (length[batch.anchor] - length[batch.answer]).mean())


def test_a_model_with_inverses_has_its_losses_too():
    model = Reciprocal(short(2 * RELATIONS))
    batch = next(iter(TrainDataLoader(graph(), batch_size=8, neg_ent=3)))
    NegativeSampling(model, SigmoidLoss(), auxiliary={"short": 1.0})(batch).backward()
    assert model.inner.ent_embeddings.weight.grad.abs().sum() > 0


def test_a_weight_of_zero_costs_nothing_and_is_no_other_training():
    none, zero, one = (
        NegativeSampling(short(), SigmoidLoss(), auxiliary=weights).identity()
        for weights in (None, {"short": 0}, {"short": 1})
    )
    assert zero == none
    assert one != none


def test_an_unknown_one_lists_what_there_is():
    with pytest.raises(ValueError, match=r"auxiliary is 'shrt' .did you mean short"):
        NegativeSampling(short(), SigmoidLoss(), auxiliary={"shrt": 1.0})
    recipe = Recipe.from_dict({"model": "TransE", "training": {"auxiliary": {"short": 1.0}}})
    with pytest.raises(ValueError, match="but the model has no further losses"):
        recipe.build(graph())
    with pytest.raises(ValueError, match=r"training.auxiliary.short is -1"):
        Recipe.from_dict({"model": "TransE", "training": {"auxiliary": {"short": -1}}})


def test_weights_of_triples_weigh_positives_and_their_negatives():
    store = TripleStore.from_triples(
        [(0, 0, 1), (0, 0, 2), (0, 0, 3), (4, 1, 5)], entities=7, relations=2
    )
    loader = TrainDataLoader(store, batch_size=4, neg_ent=2, weights="frequency", order="file")
    batch = next(iter(loader))
    # (0, 0, ?) is there three times, counted from 4: 6; each (?, 0, t) once: 4.
    torch.testing.assert_close(batch.weight, torch.tensor([10, 10, 10, 8]).rsqrt())
    scores = torch.randn(4), torch.randn(4, 2)
    for loss in (SigmoidLoss(1.0), SigmoidLoss(), MarginLoss(margin=1.0)):
        each = torch.stack([loss(p[None], n[None]) for p, n in zip(*scores, strict=True)])
        expected = (each * batch.weight).sum() / batch.weight.sum()
        torch.testing.assert_close(loss(*scores, None, batch.weight), expected)
        torch.testing.assert_close(loss(*scores, None, torch.full((4,), 3.0)), loss(*scores))


def test_a_weighted_batch_is_trained_on():
    loader = TrainDataLoader(graph(), batch_size=8, neg_ent=3, weights="frequency")
    batch = next(iter(loader))
    for model in (short(), Reciprocal(short(2 * RELATIONS))):
        found = NegativeSampling(model, SigmoidLoss(1.0))(batch)
        even = NegativeSampling(model, SigmoidLoss(1.0))(replace(batch, weight=None))
        assert torch.isfinite(found)
        assert not torch.equal(found, even)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("make", [short, lambda: Reciprocal(short(2 * RELATIONS))])
def test_heads_relations_and_tails_belong_together(shape, make):
    model, batch = make(), first_batch(shape)
    seen = {}

    class Watching(NegativeSampling):
        def auxiliary_loss(self, model, rows, head, relation, tail):
            ids = batch.entities
            seen["triples"] = torch.stack([ids[head], relation, ids[tail]], dim=1)
            return 0.0

    Watching(model, SigmoidLoss(), auxiliary={"short": 1.0})(batch)
    found = {tuple(row) for row in seen["triples"].tolist()}
    k = batch.negative.shape[-1]
    expected = torch.stack([batch.head, batch.relation.expand(-1, 1 + k), batch.tail], dim=-1)
    expected = {tuple(row) for row in expected.view(-1, 3).tolist()}
    assert {(h, r % RELATIONS, t) for h, r, t in found} == expected
