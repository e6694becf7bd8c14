"""Mixtures: sums of scores, and weights that the valid split wants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from openke.data import TestDataLoader
from openke.data.batch import Side
from openke.data.store import TripleStore
from openke.evaluation import mixing
from openke.evaluation.mixing import mix
from openke.evaluation.tester import Tester
from openke.module.model import ComplEx, Decoder, DistMult, Model, Reciprocal, TransE, TransH
from openke.module.model.mixture import SIDES, Mixture
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.triples import score_triples

ENTITIES, RELATIONS = 40, 4


class Knowing(Decoder):
    """Scores the answers of some relations by a table, all others at random."""

    def __init__(self, truth: torch.Tensor, relations: tuple[int, ...]) -> None:
        super().__init__(ENTITIES, RELATIONS)
        self.truth, self.knows = truth, relations
        self.noise = torch.nn.Parameter(torch.randn(RELATIONS, ENTITIES, ENTITIES))

    def score_all(self, side: Side, anchor: torch.Tensor, relation: torch.Tensor) -> torch.Tensor:
        known = torch.tensor([one in self.knows for one in range(RELATIONS)])[:, None, None]
        table = torch.where(known, 3 * self.truth, self.noise)
        return table[relation, anchor] if side == "tail" else table[relation, :, anchor]


@pytest.fixture
def store() -> TripleStore:
    random = np.random.default_rng(0)
    facts = np.unique(random.integers(0, [ENTITIES, RELATIONS, ENTITIES], size=(600, 3)), axis=0)
    random.shuffle(facts)
    valid, test = facts[:150], facts[150:250]
    return TripleStore.from_triples(
        facts[250:], valid, test, entities=ENTITIES, relations=RELATIONS
    )


def truth_of(store: TripleStore) -> torch.Tensor:
    truth = torch.zeros(RELATIONS, ENTITIES, ENTITIES)
    for split in ("train", "valid", "test"):
        for head, relation, tail in store.triples(split).tolist():
            truth[relation, head, tail] = 1
    return truth


def parts() -> list[Model]:
    torch.manual_seed(0)
    return [
        ComplEx(ENTITIES, RELATIONS, dim=6),
        Reciprocal(DistMult(ENTITIES, 2 * RELATIONS, dim=5)),
        TransE(ENTITIES, RELATIONS, dim=7),
    ]


@pytest.mark.parametrize("side", SIDES)
def test_a_score_is_the_weighted_sum_of_the_parts_scores(side: Side) -> None:
    models = parts()
    mixture = Mixture(models)
    torch.nn.init.normal_(mixture.weights)
    anchor, relation = torch.arange(9), torch.arange(9) % RELATIONS
    expected = sum(
        mixture.weights[SIDES.index(side), relation, number, None]
        * score_all(part, side, anchor, relation)
        for number, part in enumerate(models)
    )
    torch.testing.assert_close(score_all(mixture, side, anchor, relation), expected)


def test_listed_triples_score_as_among_all_entities() -> None:
    mixture = Mixture(parts())
    torch.nn.init.normal_(mixture.weights)
    head, relation, tail = torch.arange(8), torch.arange(8) % RELATIONS, torch.arange(8).flip(0)
    among = score_all(mixture, "tail", head, relation)[torch.arange(8), tail]
    listed = score_triples(mixture, head, relation, tail)
    torch.testing.assert_close(listed, among)


def test_each_relation_gets_the_model_that_knows_it(store: TripleStore) -> None:
    truth = truth_of(store)
    torch.manual_seed(1)
    models: list[Model] = [Knowing(truth, (0, 1)), Knowing(truth, (2, 3))]
    mixture = mix(models, store)
    for side in range(2):
        weights = mixture.weights[side].detach()
        assert (weights[:2, 0] > 2 * weights[:2, 1].abs()).all()
        assert (weights[2:, 1] > 2 * weights[2:, 0].abs()).all()
    loader = TestDataLoader(store, type_constrain=False)
    mrr = [
        Tester(model, loader, device="cpu", progress=False).rank("test").metrics()["mrr"]
        for model in (*models, mixture)
    ]
    assert mrr[2] > max(mrr[:2]) + 0.2


def test_an_answer_out_of_reach_turns_no_scores_round(store: TripleStore) -> None:
    truth = truth_of(store)
    valid = store.triples("valid")
    lost = valid[torch.randperm(len(valid), generator=torch.Generator().manual_seed(0))[:60]]
    truth[lost[:, 1], lost[:, 0], lost[:, 2]] = -4  # below whatever is no answer
    torch.manual_seed(1)
    models: list[Model] = [Knowing(truth, (0, 1, 2, 3)), Knowing(truth, ())]
    weights = mix(models, store, candidates=12).weights
    assert (weights[..., 0] > 2 * weights[..., 1].abs()).all()


def test_weights_are_those_of_the_split_that_is_named(store: TripleStore) -> None:
    models = [model.eval() for model in parts()]
    first = mix(models, store).weights
    torch.testing.assert_close(mix(models, store).weights, first)
    assert not torch.allclose(mix(models, store, "test").weights, first)


def test_other_splits_do_not_matter(store: TripleStore) -> None:
    models = [model.eval() for model in parts()]
    splits = (store.triples("train"), store.triples("valid"))
    alone = TripleStore.from_triples(*splits, entities=ENTITIES, relations=RELATIONS)
    assert torch.equal(mix(models, alone).weights, mix(models, store).weights)


def test_a_relation_that_the_split_lacks_has_the_weights_of_all(store: TripleStore) -> None:
    valid = store.triples("valid")
    without = TripleStore.from_triples(
        store.triples("train"),
        valid[valid[:, 1] != 3],
        entities=ENTITIES,
        relations=RELATIONS,
    )
    weights = mix([model.eval() for model in parts()], without).weights
    torch.testing.assert_close(weights[0, 3], weights[1, 3])
    assert not torch.allclose(weights[0, 0], weights[1, 0])


def test_blocks_of_queries_change_nothing(store: TripleStore, monkeypatch: Any) -> None:
    models = [model.eval() for model in parts()]
    whole = mix(models, store).weights
    monkeypatch.setattr(mixing, "BLOCK_BYTES", 4 * ENTITIES * len(models) * 7)
    torch.testing.assert_close(mix(models, store).weights, whole, rtol=0.02, atol=5e-3)


def test_a_mixture_is_where_its_parts_are() -> None:
    models = [model.to("meta") for model in parts()]
    assert Mixture(models).weights.device.type == "meta"


def test_what_does_not_fit_is_refused(store: TripleStore) -> None:
    one = ComplEx(ENTITIES, RELATIONS, dim=4)
    with pytest.raises(ValueError, match="two models or more, got 1"):
        Mixture([one])
    with pytest.raises(ValueError, match="different graphs"):
        Mixture([one, ComplEx(ENTITIES + 1, RELATIONS, dim=4)])
    with pytest.raises(ValueError, match="TransH has other entities for every relation"):
        Mixture([one, TransH(ENTITIES, RELATIONS, dim=4)])
    small = [ComplEx(3, 2, dim=4), ComplEx(3, 2, dim=4)]
    with pytest.raises(ValueError, match="different sets"):
        mix(small, store)
    with pytest.raises(ValueError, match="candidates"):
        mix(parts(), store, candidates=0)
    bare = TripleStore.from_triples(store.triples("train"), entities=ENTITIES, relations=RELATIONS)
    with pytest.raises(ValueError, match="valid"):
        mix(parts(), bare)
