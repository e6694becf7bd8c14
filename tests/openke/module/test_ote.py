"""OTE and GC-OTE against their formulas in float64 NumPy, triple by triple."""

import numpy as np
import pytest
import torch

from openke.data.train_data_loader import TrainDataLoader
from openke.module.interaction import orthogonal
from openke.module.model import GCOTE, OTE
from openke.module.model.neighbours import Neighbours
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import ENTITIES, RELATIONS, build, first_batch, graph
from tests.openke.module.float64 import numbers, score

FACTS = graph(triples=120).triples("train").tolist()


def gram_schmidt(matrix):
    """Return the rows made orthonormal, one after the other."""
    done = []
    for row in matrix:
        rest = row - sum((row @ unit) * unit for unit in done)
        done.append(rest / np.linalg.norm(rest))
    return np.array(done)


class Moves:
    """Where entities put their tails and heads, written out."""

    def __init__(self, model):
        with torch.no_grad():  # scales start at zero, which would hide them
            model.rel_scales.weight.normal_(std=0.5)
            model.rel_matrices.weight.normal_()
        self.size = model.config.group
        self.e = numbers(model, "ent_embeddings.weight")
        self.scales = numbers(model, "rel_scales.weight")
        matrices = numbers(model, "rel_matrices.weight")
        self.turns = [
            [gram_schmidt(m) for m in row.reshape(-1, self.size, self.size)] for row in matrices
        ]

    def forth(self, h, r):
        parts = self.e[h].reshape(-1, self.size)
        moved = [part @ turn for part, turn in zip(parts, self.turns[r], strict=True)]
        return np.concatenate(moved) * np.exp(self.scales[r])

    def back(self, t, r):
        parts = self.e[t].reshape(-1, self.size)
        moved = [part @ turn.T for part, turn in zip(parts, self.turns[r], strict=True)]
        return np.concatenate(moved) * np.exp(-self.scales[r])

    def distance(self, a, b):
        return np.linalg.norm((a - b).reshape(-1, self.size), axis=1).sum()


def test_rows_become_orthonormal_in_their_order():
    matrices = torch.randn(5, 4, 4, dtype=torch.float64)
    expected = np.stack([gram_schmidt(matrix.numpy()) for matrix in matrices])
    np.testing.assert_allclose(orthogonal.gram_schmidt(matrices).numpy(), expected, rtol=1e-9)


def test_ote(triples):
    model = build("OTE").double()
    moves = Moves(model)
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        expected = 15.0 - moves.distance(moves.forth(h, r), moves.e[t])
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    found = score_all(model, "head", torch.tensor([3]), torch.tensor([1]))[0].detach().numpy()
    expected = [15.0 - moves.distance(moves.back(3, 1), e) for e in moves.e]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_ote_starts_as_published():
    torch.manual_seed(0)
    model = OTE(500, 3, dim=12, group=4)
    assert 0.0099 < model.ent_embeddings.weight.abs().max() <= 0.01
    assert (model.rel_scales.weight == 0).all()
    turns = model.rel_matrices.weight.view(-1, 4, 4)
    torch.testing.assert_close(turns @ turns.mT, torch.eye(4).expand_as(turns))


def mean(around):
    return np.mean(around, axis=0)


def attended(around):
    """Return the mean weighed by how alike each is to the first, which is the entity itself."""
    logits = np.array(around) @ around[0] / len(around[0]) ** 0.5
    weights = np.exp(logits - logits.max())
    return weights / weights.sum() @ np.array(around)


JOINED = {"GCOTE": mean, "GCOTE attention": attended}
ways = pytest.mark.parametrize("case", JOINED)


def contexts(moves, facts, joined=mean):
    into, out_of = ({i: [e] for i, e in enumerate(moves.e)} for _ in range(2))
    for h, r, t in facts:
        into[t].append(moves.forth(h, r))
        out_of[h].append(moves.back(t, r))
    return tuple([joined(found[i]) for i in range(ENTITIES)] for found in (into, out_of))


def expected_score(moves, into, out_of, h, r, t):
    forth, back = moves.forth(h, r), moves.back(t, r)
    pairs = [(forth, moves.e[t]), (forth, into[t]), (back, moves.e[h]), (back, out_of[h])]
    return 12.0 - sum(moves.distance(a, b) for a, b in pairs) / 4


@ways
def test_gcote(triples, case):
    model = build(case).double()
    with torch.no_grad():
        model.ent_embeddings.weight.normal_()  # else all logits of attention are about 0
    moves = Moves(model)
    into, out_of = contexts(moves, FACTS, JOINED[case])
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        np.testing.assert_allclose(found, expected_score(moves, into, out_of, h, r, t), rtol=1e-10)


@ways
def test_the_facts_of_a_batch_are_no_context_of_it(case):
    model = build(case).double()
    with torch.no_grad():
        model.ent_embeddings.weight.normal_(std=3.0)
    moves = Moves(model)
    batch = next(iter(TrainDataLoader(graph(triples=120), batch_size=16, neg_ent=2)))
    positive = batch.positive
    for training in (True, False):
        kept = [fact for fact in FACTS if not (training and fact in positive.tolist())]
        assert (len(kept) < len(FACTS)) == training
        into, out_of = contexts(moves, kept, JOINED[case])
        found = model.train(training)(batch).positive.detach().numpy()
        expected = [expected_score(moves, into, out_of, *row) for row in positive.tolist()]
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    triples = positive.unbind(dim=1)  # nothing is left out for longer than the batch
    torch.testing.assert_close(
        score_triples(model.train(), *triples), score_triples(model.eval(), *triples)
    )


def test_attention_over_alike_logits_is_the_mean():
    plain, attention = build("GCOTE").double(), build("GCOTE attention").double()
    attention.load_state_dict(plain.state_dict())
    for model in (plain, attention):
        with torch.no_grad():
            model.ent_embeddings.weight[:, 1:] = 0  # turns of no entity but along one axis
            model.rel_matrices.weight.copy_(torch.eye(2).flatten().repeat(3).expand(RELATIONS, -1))
            model.rel_scales.weight.zero_()
            model.ent_embeddings.weight[:, 0] = 0.5
    found, expected = encode_all(attention), encode_all(plain)
    for name in ("into", "out_of"):
        torch.testing.assert_close(found[name], expected[name])


def test_groups_of_one_without_scales_turn_by_a_sign():
    model = OTE(ENTITIES, RELATIONS, dim=6, group=1).double()
    torch.nn.init.normal_(model.rel_matrices.weight)
    moved = model.move(model.ent_embeddings.weight[:4], torch.arange(4) % RELATIONS, "tail")
    torch.testing.assert_close(moved.abs(), model.ent_embeddings.weight[:4].abs())
    assert (moved * model.ent_embeddings.weight[:4] < 0).any()


def test_without_facts_it_is_the_mean_of_ote_both_ways():
    model = GCOTE(ENTITIES, RELATIONS, dim=6, group=2, context="attention").double()
    ote = OTE(ENTITIES, RELATIONS, dim=6, group=2, margin=0.0).double()
    ote.load_state_dict(model.state_dict())
    h, r = torch.tensor([3, 5]), torch.tensor([0, 1])
    forth = score_all(ote, "tail", h, r)
    back = torch.stack(
        [
            score_all(ote, "head", torch.arange(ENTITIES), x.expand(ENTITIES))[:, a]
            for a, x in zip(h, r, strict=True)
        ]
    )
    torch.testing.assert_close(score_all(model, "tail", h, r), 12.0 + (forth + back) / 2)


def test_without_neighbours_an_entity_is_its_own_context():
    model = GCOTE(ENTITIES, RELATIONS, dim=6, group=2)
    rows = encode_all(model)
    assert torch.equal(rows["into"], rows["entity"])
    assert torch.equal(rows["out_of"], rows["entity"])
    assert model.train()(first_batch("tail")).positive.isfinite().all()


def test_gcote_starts_from_trained_tables_of_ote():
    ote = OTE(ENTITIES, RELATIONS, dim=6, group=2)
    model = build("GCOTE")
    model.set_parameters(ote.get_parameters())
    for name, table in ote.named_parameters():
        assert torch.equal(dict(model.named_parameters())[name], table)


def test_the_facts_are_part_of_the_identity():
    one, other = (GCOTE(ENTITIES, RELATIONS, dim=6, group=2, triples=FACTS[:n]) for n in (5, 6))
    assert one.identity()["facts"] != other.identity()["facts"]
    again = GCOTE(ENTITIES, RELATIONS, dim=6, group=2, triples=FACTS[4::-1] + FACTS[:1])
    assert one.identity() == again.identity()


def test_neighbours_are_the_facts_around_each_entity():
    centre, relation, other = torch.tensor([[2, 0, 2, 1], [5, 6, 7, 8], [1, 2, 0, 0]])
    around = Neighbours(centre, relation, other, 4)(torch.tensor([2, 3, 0]))
    assert around.first.tolist() == [0, 2, 2]
    assert around.owner.tolist() == [0, 0, 2]
    assert around.fact.tolist() == [0, 2, 1]
    assert around.relation.tolist() == [5, 7, 6]
    assert around.other.tolist() == [1, 0, 2]


def test_groups_that_do_not_fit_and_foreign_triples_are_refused():
    with pytest.raises(ValueError, match="dim is 6; expected a multiple of group, 4"):
        OTE(ENTITIES, RELATIONS, dim=6, group=4)
    with pytest.raises(ValueError, match="group is 0; expected a whole number, 1 or more"):
        OTE(ENTITIES, RELATIONS, dim=6, group=0)
    settings = {"dim": 6, "group": 2}
    with pytest.raises(ValueError, match="triples have entities from 0 to 23, expected 0 to 22"):
        GCOTE(ENTITIES, RELATIONS, triples=[[0, 0, 23]], **settings)
    with pytest.raises(ValueError, match="triples have relations from -1 to -1, expected 0 to 3"):
        GCOTE(ENTITIES, RELATIONS, triples=[[0, -1, 3]], **settings)
