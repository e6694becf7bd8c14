"""AdaMF: its weights, its score against the formula, and its views."""

import math

import pytest
import torch

from lbmkgc_models.model.adamf import AdaMF
from openke.module.model import RotatE
from openke.module.scoring.encodings import presence
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import (
    BATCHES,
    ENTITIES,
    RELATIONS,
    both,
    build,
    first_batch,
    graph,
    one,
)

EVERYONE = torch.arange(ENTITIES)
TRIPLES = torch.tensor(graph().triples("train"))


def gradients(model, scores):
    """Return the gradients of a weighted sum of scores; zeros where there is none."""
    weights = torch.arange(1, 1 + scores.numel(), dtype=torch.double) / scores.numel()
    total = (weights * scores.reshape(-1)).sum()
    return torch.autograd.grad(total, list(model.parameters()), materialize_grads=True)


def entities_by_formula(model, features):
    """Return e of each entity, written out; any missing modality is left out."""
    rows = []
    state = dict(model.named_parameters())
    for entity in range(ENTITIES):
        parts = [state["ent_embeddings.weight"][entity]]
        for name, found in features.items():
            if not found.present[entity]:
                continue
            f = state.get(f"projectors.{name}.rows.tuned.weight", found.values.double())[entity]
            weight, bias = (state[f"projectors.{name}.layers.{x}"] for x in ("weight", "bias"))
            parts.append(weight @ f + bias)
        logits = torch.stack([(part.tanh() * state["attention.vector"]).sum() for part in parts])
        weights = logits.exp() / logits.exp().sum()
        rows.append(sum(a * part for a, part in zip(weights, parts, strict=True)))
    return torch.stack(rows)


def scores_by_formula(model, features, head, relation, tail):
    """Return gamma - sum |h e^{i theta} - t| of triples of any shape."""
    c, e = model.config, entities_by_formula(model, features)
    vectors = torch.complex(e[:, : c.dim], e[:, c.dim :])
    phase = model.rel_embeddings.weight * math.pi * c.dim / (c.margin + c.epsilon)
    turn = torch.polar(torch.ones_like(phase), phase)
    return c.margin - (vectors[head] * turn[relation] - vectors[tail]).abs().sum(dim=-1)


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("tuned", [True, False])
@pytest.mark.parametrize("features", [both(), one()], ids=["both", "text"])
def test_scores_are_those_of_the_formula(features, tuned, shape):
    torch.manual_seed(1)
    model = AdaMF(ENTITIES, RELATIONS, features, dim=4, margin=12.0, tuned=tuned).double()
    batch = first_batch(shape)
    scores = score_batch(model, batch)
    expected = scores_by_formula(model, features, batch.head, batch.relation, batch.tail)
    torch.testing.assert_close(scores.positive, expected[:, 0], rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(scores.negative, expected[:, 1:], rtol=1e-9, atol=1e-9)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_three_rows_are_weighed_as_by_hand():
    attention = build("AdaMF").attention
    with torch.no_grad():
        attention.vector.zero_()[0] = 1.0
    rows = [torch.zeros(1, 8) for _ in range(3)]
    for row, value in zip(rows, (0.0, 2.0, -2.0), strict=True):
        row[0, 0] = value
    present = torch.ones(1, 3).bool()
    weights = attention.weights(rows, present)[0, :, 0]
    torch.testing.assert_close(weights, torch.tensor([0.250, 0.655, 0.095]), rtol=0, atol=5e-4)
    assert attention(rows, present)[0, 0].item() == pytest.approx(1.119, abs=5e-4)


def test_equal_views_are_rotate_for_any_weights():
    model, rotate = build("AdaMF"), RotatE(ENTITIES, RELATIONS, dim=4)
    rotate.load_state_dict({name: model.state_dict()[name] for name in rotate.state_dict()})
    views = model.views(EVERYONE)
    same = model.fuse({**views, **dict.fromkeys(model.modal_views, views["entity"])})
    torch.testing.assert_close(same["entity"], rotate.ent_embeddings.weight)
    model.encode = lambda ids: {"entity": same["entity"][ids]}
    head, relation, tail = TRIPLES.unbind(dim=1)
    found, expected = (score_triples(m, head, relation, tail) for m in (model, rotate))
    torch.testing.assert_close(found, expected)


def test_another_view_counts_where_it_is_said_to_be_there():
    model = build("AdaMF")
    views = model.views(EVERYONE)
    generated = {**views, "image": torch.ones_like(views["image"])}
    unseen = ~views[presence("image")][:, 0]
    before, masked = model.fuse(views)["entity"], model.fuse(generated)["entity"]
    assert torch.equal(masked[unseen], before[unseen])
    generated[presence("image")] = torch.ones_like(views[presence("image")])
    assert not torch.isclose(model.fuse(generated)["entity"], before).all(dim=1).any()


def test_penalties_see_the_fused_rows():
    model = build("AdaMF")
    assert torch.equal(model.factors(EVERYONE), model.encode(EVERYONE)["entity"])


def test_no_modality_is_refused():
    with pytest.raises(ValueError, match="AdaMF takes features of one modality or more, got none"):
        AdaMF(ENTITIES, RELATIONS, {})
    with pytest.raises(ValueError, match="missing is 'drop'; expected one of 'mask', 'zero', 'me"):
        AdaMF(ENTITIES, RELATIONS, both(), missing="drop")
