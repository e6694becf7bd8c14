"""Reciprocal relations: who is asked, and what is refused."""

import pytest
import torch

from openke.module.interaction import hermitian
from openke.module.model import MODELS, ComplEx, DistMult, Reciprocal
from openke.module.model.wrapped import Wrapped
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_relations, score_triples
from tests.contracts.graphs import CASES, ENTITIES, RELATIONS, build, first_batch, reciprocal

cases = pytest.mark.parametrize("case", CASES)


@cases
def test_heads_are_the_tails_of_inverses(case):
    model = reciprocal(case)
    anchor, relation = torch.tensor([0, 5, 5, 2]), torch.tensor([1, 0, 3, 0])
    everyone = torch.arange(ENTITIES)
    for side, ids in (("tail", relation), ("head", relation + RELATIONS)):
        scores = score_all(model, side, anchor, relation)
        for row in range(len(anchor)):
            known, r = anchor[row].expand(ENTITIES), ids[row].expand(ENTITIES)
            torch.testing.assert_close(scores[row], score_triples(model.inner, known, r, everyone))


@cases
def test_triples_and_relations_count_as_queries_about_tails(case):
    model = reciprocal(case)
    head, relation, tail = torch.tensor([0, 5]), torch.tensor([1, 3]), torch.tensor([2, 2])
    expected = score_triples(model.inner, head, relation, tail)
    torch.testing.assert_close(score_triples(model, head, relation, tail), expected)
    found = score_relations(model, head, tail)
    assert found.shape == (2, RELATIONS)
    torch.testing.assert_close(found[torch.arange(2), relation], expected)


@cases
def test_all_relations_score_as_their_triples_do(case):
    model = build(case)
    head, tail = torch.tensor([0, 5, 5]), torch.tensor([1, 0, 5])
    found = score_relations(model, head, tail)
    for r in range(RELATIONS):
        expected = score_triples(model, head, torch.full((3,), r), tail)
        torch.testing.assert_close(found[:, r], expected)


def test_a_model_that_scores_otherwise_is_not_linear_by_inheritance():
    class Doubled(ComplEx):
        def match(self, query, candidates, compare):
            return 2 * super().match(query, candidates, compare)

    assert ComplEx.linear_in_relation
    assert not Doubled.linear_in_relation
    model = Doubled(ENTITIES, RELATIONS, dim=4)
    head, tail = torch.tensor([0]), torch.tensor([1])
    found = score_relations(model, head, tail)[0, 2]
    torch.testing.assert_close(found, score_triples(model, head, torch.tensor([2]), tail)[0])
    with pytest.raises(NotImplementedError, match="RotatE is not linear in its relations"):
        build("RotatE").relation_query({}, {})


def test_a_wrapped_model_is_the_inner_one_in_all_but_its_name():
    for case in ("ComplEx", "TransR", "SimplE"):
        model = build(case)
        around = Wrapped(model)
        assert (around.projects_entities, around.linear_in_relation) == (
            model.projects_entities,
            model.linear_in_relation,
        )
        assert around.identity() == model.identity()
        assert around.constants() == model.constants()
        assert around.entity_part_widths() == model.entity_part_widths()
        assert around.relation_part_widths() == model.relation_part_widths()
        torch.testing.assert_close(around.l3_regularization(), model.l3_regularization())
        ids = torch.tensor([0, 3])
        torch.testing.assert_close(around.factors(ids), model.factors(ids))
        torch.testing.assert_close(around.vectors(ids), model.vectors(ids))
        for side in ("head", "tail"):
            torch.testing.assert_close(
                score_all(around, side, ids, ids), score_all(model, side, ids, ids)
            )


@pytest.mark.parametrize("around", [lambda model: model, Reciprocal, Wrapped])
def test_a_query_that_is_no_named_tensors_is_named(around):
    class Bare(DistMult):
        def query(self, anchor, relation, side):
            return anchor["entity"] * self.rel_embeddings(relation)

    model, ids = around(Bare(ENTITIES, 2 * RELATIONS, dim=4)), torch.tensor([0, 1])
    said = "^Bare.query returned Tensor; expected named tensors, such as"
    with pytest.raises(TypeError, match=said):
        score_all(model, "tail", ids, ids)
    with pytest.raises(TypeError, match=said):
        score_batch(model, first_batch("mixed"))
    with pytest.raises(TypeError, match=said):
        score_triples(model, ids, ids, ids)


def test_relations_come_in_pairs():
    with pytest.raises(ValueError, match="Reciprocal: the model has 3 relations, expected twice"):
        Reciprocal(DistMult(ENTITIES, 3))


def test_moduli_of_complex_coordinates():
    rows = torch.tensor([[3.0, 0.0, 4.0, 0.0]], requires_grad=True)
    moduli = hermitian.modulus(rows)
    assert moduli.tolist() == [[5.0, 0.0]]
    moduli.sum().backward()
    torch.testing.assert_close(rows.grad, torch.tensor([[0.6, 0.0, 0.8, 0.0]]))


@pytest.mark.parametrize("name", ["ComplEx", "DistMult", "RESCAL", "SimplE", "HolE", "Analogy"])
def test_tables_start_as_small_as_is_wanted(name):
    model = MODELS[name](200, 50, dim=8, init_scale=0.01)
    for parameter_name, values in model.named_parameters():
        assert values.std().item() == pytest.approx(0.01, rel=0.2), parameter_name
    for bad in (0, -1.0):
        with pytest.raises(
            ValueError, match=f"{name}.init_scale is {bad}; expected a number above 0"
        ):
            MODELS[name](200, 50, dim=8, init_scale=bad)
    with pytest.raises(ValueError, match=f"{name}.init_scale is '1'; expected a number"):
        MODELS[name](200, 50, dim=8, init_scale="1")
