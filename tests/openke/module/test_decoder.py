"""A model that writes score_all alone trains, ranks and predicts as any other."""

import pytest
import torch
from torch import nn

from openke.config import Tester, Trainer
from openke.data import QueryDataLoader, TestDataLoader, TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.model import ComplEx, Decoder, Model, Reciprocal
from openke.module.model.tables import table
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_relations, score_triples
from openke.module.strategy import KVsAll, NegativeSampling, OneVsAll
from tests.contracts.graphs import BATCHES, ENTITIES, RELATIONS, first_batch, graph


class Perceptron(Decoder):
    """A layer over h and r, another one for heads, against all entities."""

    citation = "None"

    def __init__(self, ent_tot, rel_tot):
        super().__init__(ent_tot, rel_tot)
        self.ent_embeddings = table(ent_tot, 6)
        self.rel_embeddings = table(rel_tot, 6)
        self.layers = nn.ModuleDict({side: nn.Linear(12, 6) for side in ("head", "tail")})

    def score_all(self, side, anchor, relation):
        asked = torch.cat([self.ent_embeddings(anchor), self.rel_embeddings(relation)], dim=1)
        return self.layers[side](asked).relu() @ self.ent_embeddings.weight.T


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Perceptron(ENTITIES, RELATIONS)


def test_single_scores_are_picked_from_all(model):
    head, relation, tail = (torch.randint(n, (9,)) for n in (ENTITIES, RELATIONS, ENTITIES))
    everything = score_all(model, "tail", head, relation)
    assert everything.shape == (9, ENTITIES)
    torch.testing.assert_close(everything, model.score_all("tail", head, relation))
    picked = everything.gather(1, tail[:, None])[:, 0]
    torch.testing.assert_close(score_triples(model, head, relation, tail), picked)
    between = score_relations(model, head, tail)
    torch.testing.assert_close(between.gather(1, relation[:, None])[:, 0], picked)


@pytest.mark.parametrize("shape", BATCHES)
def test_negatives_answer_the_query_of_their_side(model, shape):
    batch = first_batch(shape)
    scores = score_batch(model, batch)
    b, k = batch.head.shape[0], batch.head.shape[1] - 1
    relation, head, tail = batch.relation[:, 1:], batch.head[:, 1:], batch.tail[:, 1:]
    replaced = batch.slot if not batch.shared else batch.slot[:, None].expand(b, k)
    for row in range(b):
        for column in range(k):
            h, r, t = head[row, column], relation[row, column], tail[row, column]
            if replaced[row, column] == 0:
                expected = model.score_all("head", t[None], r[None])[0, h]
            else:
                expected = model.score_all("tail", h[None], r[None])[0, t]
            torch.testing.assert_close(scores.negative[row, column], expected)


@pytest.mark.parametrize("strategy", [OneVsAll, KVsAll, NegativeSampling])
def test_it_learns_and_is_ranked(strategy):
    store = graph()
    torch.manual_seed(0)
    model = Reciprocal(Perceptron(ENTITIES, 2 * RELATIONS))
    if strategy is NegativeSampling:
        loader = TrainDataLoader(store, batch_size=16, neg_ent=6)
        objective = NegativeSampling(model, SigmoidLoss())
    else:
        loader = QueryDataLoader(store, batch_size=16, targets=strategy.targets)
        objective = strategy(model)
    trainer = Trainer(objective, loader, 60, 0.02, opt_method="adam", device="cpu", progress=False)
    losses = trainer.run().losses
    assert losses[-1] < 0.7 * losses[0]
    assert all(p.grad is not None for p in model.inner.layers["tail"].parameters())
    tester = Tester(model, TestDataLoader(store), device="cpu", progress=False)
    assert tester.rank("train").metrics()["mrr"] > 0.5


def test_what_is_missing_is_said_when_a_model_is_made():
    class Mute(Model):
        def query(self, anchor, relation, side):
            return anchor

    class Empty(Decoder):
        pass

    with pytest.raises(TypeError, match=r"Mute has no match: a model writes both, one that scores"):
        Mute(3, 2)
    with pytest.raises(TypeError, match="Empty has no score_all, which a Decoder writes"):
        Empty(3, 2)
    with pytest.raises(TypeError, match="Model has no query and no match"):
        Model(3, 2)


def test_names_of_old_still_work_and_name_the_new_ones():
    with pytest.warns(DeprecationWarning, match=r"Old.structure is now Old.entity_embeddings"):

        class Old(ComplEx):
            def structure(self, entities):
                return 2 * super().entity_embeddings(entities)

    with pytest.warns(DeprecationWarning, match=r"Placed.relational is now Placed.projects_entit"):

        class Placed(ComplEx):
            relational = True

            def project(self, encodings, relation):
                return encodings

    assert Placed(3, 2, dim=2).projects_entities
    model = Old(ENTITIES, RELATIONS, dim=4)
    ids = torch.arange(3)
    twice = 2 * ComplEx.entity_embeddings(model, ids)
    torch.testing.assert_close(model.encode(ids)["entity"], twice)
    with pytest.warns(DeprecationWarning, match="Old.asked is now Old.effective_relation"):
        assert model.asked(ids, "head").tolist() == [0, 1, 2]
    with pytest.warns(DeprecationWarning, match="Old.inverses is now Old.inverse_offset"):
        assert model.inverses == 0
    with pytest.raises(AttributeError, match="nothing"):
        model.nothing  # noqa: B018


def test_a_name_of_old_may_be_a_layer_of_the_users():
    class Layered(ComplEx):
        def __init__(self, *sizes, **settings):
            super().__init__(*sizes, **settings)
            self.linear = nn.Linear(2, 2)

    assert isinstance(Layered(3, 2, dim=2).linear, nn.Linear)
