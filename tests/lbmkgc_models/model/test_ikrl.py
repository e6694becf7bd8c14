"""IKRL over several pictures of an entity."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.model.ikrl import IKRL, attended
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import (
    BATCHES,
    ENTITIES,
    RELATIONS,
    first_batch,
    one,
    sizes_of,
    takes_features,
)
from tests.lbmkgc_models.model.plain_formulas import EVERYONE, within_and_across

SEVERAL = ("IKRL", "MMRNS", "MyGO", "VISTA")
OTHERS = [name for name in MULTIMODAL.own if name not in SEVERAL]


def pictures(seed=0, most=4):
    """Return features of which each entity has none to four rows."""
    generator = np.random.default_rng(seed)
    names = [f"entity {i}" for i in range(ENTITIES)]
    named = [name for name in names for _ in range(generator.integers(most + 1))]
    rows = torch.from_numpy(generator.normal(size=(len(named), 5)).astype(np.float32))
    return {"image": ModalFeatures.from_rows("image", named, rows, names, several=True)}


def made(features, **settings):
    torch.manual_seed(0)
    return IKRL(ENTITIES, RELATIONS, features, dim=6, **settings).double()


def by_hand(model, features):
    """Return v, entity by entity and picture by picture."""
    found, s = features["image"], model.ent_embeddings.weight
    rows = []
    for entity in range(ENTITIES):
        each = found.values[entity][found.present[entity]].double()
        if not len(each):
            rows.append(s[entity])
            continue
        projected = [model.projectors.image.layers(f[None])[0] for f in each]
        logits = [float((p * s[entity]).sum().detach()) for p in projected]
        weights = [np.exp(x) / sum(np.exp(y) for y in logits) for x in logits]
        rows.append(sum(w * p for w, p in zip(weights, projected, strict=True)))
    return torch.stack(rows)


def gradients(model, scores):
    return torch.autograd.grad(scores.reshape(-1).square().sum(), list(model.parameters()))


@pytest.mark.parametrize("norm_flag", [True, False])
@pytest.mark.parametrize("shape", BATCHES)
def test_pictures_are_weighed_by_structure_and_weights_are_constant(norm_flag, shape):
    features, batch = pictures(), first_batch(shape)
    model = made(features, norm_flag=norm_flag)
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    triples = [ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail)]
    v, r = by_hand(model, features), model.rel_embeddings.weight
    expected = -within_and_across(model, v, r, triples).view_as(found)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_a_toy_by_hand():
    parts = torch.tensor([[[0.0], [math.log(3.0)], [50.0]]])
    there = torch.tensor([[True, True, False]])
    found = attended(parts, there, torch.tensor([[1.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.75 * math.log(3.0)]]))
    assert attended(parts, ~there, torch.tensor([[1.0]])).item() == 50
    assert attended(parts, there & False, torch.tensor([[1.0]])).item() == 0


def test_one_picture_each_is_no_other_model():
    several = pictures(most=1)["image"]
    alone = replace(several, values=several.values[:, 0], present=several.present[:, 0])
    found, expected = made({"image": several}), made({"image": alone})
    triples = (EVERYONE, EVERYONE % RELATIONS, EVERYONE.flip(0))
    torch.testing.assert_close(score_triples(found, *triples), score_triples(expected, *triples))


def test_pictures_that_are_not_there_never_matter():
    features = pictures()["image"]
    changed = torch.where(features.present[..., None], features.values, 7.0)
    found, other = made({"image": features}), made({"image": replace(features, values=changed)})
    triples = (EVERYONE, EVERYONE % RELATIONS, EVERYONE.flip(0))
    assert torch.equal(score_triples(found, *triples), score_triples(other, *triples))
    assert found.identity() != made(pictures(seed=1)).identity()


def test_several_pictures_may_be_tuned():
    features = pictures()
    model = made(features, tuned=True)
    score_batch(model, first_batch("mixed")).negative.sum().backward()
    table = model.projectors.image.rows.tuned.weight
    there = features["image"].present[..., None].expand(-1, -1, 5).flatten(1)
    assert (table.grad[there] != 0).any()
    assert not table.grad[~there].any()
    assert torch.equal(model.projectors.image.rows.values, table.view(ENTITIES, -1, 5))


@pytest.mark.parametrize("name", OTHERS)
def test_other_models_take_one_row(name):
    kind = MULTIMODAL[name]
    assert takes_features(kind)
    message = "image features have up to 4 rows of an entity, but .* takes one of each: av"
    with pytest.raises(ValueError, match=message):
        kind(ENTITIES, RELATIONS, {**pictures(), **one()}, **dict.fromkeys(sizes_of(kind), 6))
