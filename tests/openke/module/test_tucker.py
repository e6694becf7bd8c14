"""TuckER against its formula in float64 NumPy, and its dropout and norms in training."""

import math

import numpy as np
import pytest
import torch

from openke.module.model import TuckER
from openke.module.scoring.all_entities import encode_all, score_all
from tests.contracts.graphs import ENTITIES, RELATIONS, build, first_batch
from tests.openke.module.float64 import numbers, score


def normed(norm, vector):
    mean, variance = norm.running_mean.numpy(), norm.running_var.numpy()
    weight, bias = norm.weight.detach().numpy(), norm.bias.detach().numpy()
    return (vector - mean) / np.sqrt(variance + norm.eps) * weight + bias


def parts(model):
    e, r = numbers(model, "ent_embeddings.weight"), numbers(model, "rel_embeddings.weight")
    core = numbers(model, "core.weight").reshape(6, 6, 4)  # [head, tail, relation]
    return e, r, core


def test_tucker(triples):
    model = build("TuckER").double()
    e, r, core = parts(model)
    for h, k, t, found in zip(*triples, score(model, triples), strict=True):
        moved = np.einsum("ijk,i,k->j", core, normed(model.anchor_norm, e[h]), r[k])
        np.testing.assert_allclose(found, normed(model.query_norm, moved) @ e[t], rtol=1e-9)


def test_queries_about_heads_are_normed_too():
    model = build("TuckER").double()
    e, r, core = parts(model)
    found = score_all(model, "head", torch.tensor([3]), torch.tensor([1]))[0]
    moved = np.einsum("ijk,j,k->i", core, normed(model.anchor_norm, e[3]), r[1])
    expected = e @ normed(model.query_norm, moved)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-9)


def test_tucker_starts_as_published():
    torch.manual_seed(0)
    model = TuckER(3000, 500, dim=40, dim_r=30)
    core = model.core.weight
    assert 0.999 < core.abs().max() <= 1
    assert abs(core.std().item() - 1 / math.sqrt(3)) < 0.01
    for rows, columns, found in ((3000, 40, model.ent_embeddings), (500, 30, model.rel_embeddings)):
        expected = math.sqrt(2 / (rows + columns))
        assert abs(found.weight.std().item() / expected - 1) < 0.02


def test_dropout_forgets_in_training_only():
    model = TuckER(ENTITIES, RELATIONS, dim=6, dim_r=4, hidden_dropout2=0.5)
    rows = encode_all(model)
    relation = torch.arange(ENTITIES) % RELATIONS
    zeros = [(model.train(on).query(rows, relation, "tail")["query"] == 0) for on in (True, False)]
    assert 0.3 < zeros[0].float().mean() < 0.7
    assert not zeros[1].any()


def test_a_query_that_stands_alone_is_normed_by_what_was_seen_before():
    model = build("TuckER").train()
    for module in (model.input_dropout, model.hidden_dropout1, model.hidden_dropout2):
        module.eval()
    alone = model.query(model.encode(torch.tensor([3])), torch.tensor([1]), "tail")["query"]
    model.eval()
    seen = model.query(model.encode(torch.tensor([3])), torch.tensor([1]), "tail")["query"]
    torch.testing.assert_close(alone, seen)


def test_training_moves_the_running_mean():
    model = build("TuckER").train()
    before = model.query_norm.running_mean.clone()
    model(first_batch("tail"))
    assert not torch.equal(before, model.query_norm.running_mean)


@pytest.mark.parametrize("name", ["input_dropout", "hidden_dropout1", "hidden_dropout2"])
def test_a_dropout_of_all_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 1.0; expected a number from 0 to below 1"):
        TuckER(ENTITIES, RELATIONS, **{name: 1.0})


def test_sizes_of_relations_are_checked():
    with pytest.raises(ValueError, match="dim_r is 0; expected a whole number, 1 or more"):
        TuckER(ENTITIES, RELATIONS, dim_r=0)
