"""Scores against independent formulas in float64 NumPy."""

import math

import numpy as np
import pytest
import torch

from lbmkgc_models.model.ikrl import IKRL
from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.module.model import RotatE, TransE
from tests.contracts.graphs import ENTITIES, RELATIONS, both, build
from tests.openke.module.float64 import numbers, score, unit


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("margin", [None, 4.0])
def test_transe(triples, p, norm, margin):
    model = TransE(
        ENTITIES, RELATIONS, dim=7, p_norm=p, norm_flag=norm, margin=margin, epsilon=2.0
    ).double()
    e, r = numbers(model, "ent_embeddings.weight"), numbers(model, "rel_embeddings.weight")
    h, r, t = e[triples[0]], r[triples[1]], e[triples[2]]
    if norm:
        h, r, t = unit(h), unit(r), unit(t)
    expected = (margin or 0) - np.linalg.norm(h + r - t, ord=p, axis=1)
    np.testing.assert_allclose(score(model, triples), expected, rtol=1e-12)


def rotated(e, phases, h, r, t, margin):
    d = e.shape[1] // 2
    complex_e = e[:, :d] + 1j * e[:, d:]
    return margin - np.abs(complex_e[h] * np.exp(1j * phases[r]) - complex_e[t]).sum(axis=1)


def test_rotate(triples):
    model = RotatE(ENTITIES, RELATIONS, dim=5, margin=9.0, epsilon=2.0).double()
    phases = numbers(model, "rel_embeddings.weight") * math.pi * 5 / 11.0
    expected = rotated(numbers(model, "ent_embeddings.weight"), phases, *triples, 9.0)
    np.testing.assert_allclose(score(model, triples), expected, rtol=1e-12)


def test_rotate_starts_as_published():
    torch.manual_seed(0)
    model = RotatE(4000, 300, dim=50, margin=6.0, epsilon=2.0)
    entities, relations = model.ent_embeddings.weight, model.rel_embeddings.weight
    assert entities.abs().max() <= 8 / 100
    assert entities.abs().max() > 0.99 * 8 / 100
    phases = model.phases(relations)
    assert phases.abs().max() <= math.pi * 1.000001
    assert phases.abs().max() > 0.99 * math.pi


def lbmkgc_entities(model, features, form, modalities=("image", "text")):
    """Return e_s, e_mm (NaN where nothing is present) written entity by entity."""
    e_s = numbers(model, "ent_embeddings.weight")
    mixed = np.full_like(e_s, np.nan)
    for entity in range(ENTITIES):
        projected = []
        for name in modalities:
            if not features[name].present[entity]:
                continue
            f = features[name].values[entity].double().numpy()
            prefix = f"projectors.{name}.layers"
            hidden = numbers(model, f"{prefix}.0.weight") @ f + numbers(model, f"{prefix}.0.bias")
            hidden = np.maximum(hidden, 0)
            out = numbers(model, f"{prefix}.2.weight") @ hidden
            projected.append(out + numbers(model, f"{prefix}.2.bias"))
        if not projected:
            continue
        projected = np.array(projected)
        if len(modalities) == 1:
            weights = np.ones((1, 1))
        else:
            vector = numbers(model, "attention.vector")
            logits = np.tanh(projected) * vector
            if form == "scalar":
                logits = logits.sum(axis=1, keepdims=True)
            weights = np.exp(logits) / np.exp(logits).sum(axis=0)
        mixed[entity] = (weights * projected).sum(axis=0)
    return e_s, mixed


@pytest.mark.parametrize("form", ["scalar", "elementwise", "text only"])
def test_lbmkgc(triples, form):
    case = {"scalar": "LBMKGC", "elementwise": "LBMKGC elementwise", "text only": "LBMKGC text"}
    model = build(case[form]).double()
    features = both()
    modalities = ("text",) if form == "text only" else ("image", "text")
    e_s, mixed = lbmkgc_entities(model, features, form, modalities)
    assert np.isnan(mixed).any()  # the graph has entities without any modality
    zeta = 1 / (1 + np.exp(-numbers(model, "gate.logit")))
    phases = numbers(model, "rel_embeddings.weight") * math.pi * 4 / 14.0
    for h, r, t, found in zip(*triples, score(model, triples), strict=True):
        joint = {
            e: e_s[e] if np.isnan(mixed[e]).any() else zeta[r] * e_s[e] + (1 - zeta[r]) * mixed[e]
            for e in (h, t)
        }
        table = np.stack([joint[h], joint[t]])
        expected = rotated(table, phases, np.array([0]), np.array([r]), np.array([1]), 12.0)
        np.testing.assert_allclose(found, expected[0], rtol=1e-10)


def test_lbmkgc_mean_fusion_weighs_structure_and_modalities_alike(triples):
    model = build("LBMKGC without CGuAF").double()
    everyone = torch.arange(ENTITIES)
    modal, present = model.projectors(everyone)
    structural = model.ent_embeddings.weight
    joint = model.encode(everyone)["entity"]
    for entity in range(ENTITIES):
        parts = [structural[entity]]
        parts += [m[entity] for m, here in zip(modal, present[entity], strict=True) if here]
        torch.testing.assert_close(joint[entity], torch.stack(parts).mean(dim=0))


def test_features_are_not_trained_and_not_written():
    model = LBMKGC(ENTITIES, RELATIONS, both(), dim=4)
    frozen = {id(p.rows.values) for p in model.projectors}
    assert not frozen & {id(p) for p in model.parameters()}
    assert not any("values" in name or "present" in name for name in model.state_dict())
    assert set(model.identity()["features"]) == {"image", "text"}


def test_a_missing_modality_does_not_matter_whatever_its_row_holds():
    model = build("LBMKGC")
    projector = model.projectors.image
    everyone = torch.arange(ENTITIES)
    before = model.encode(everyone)["modal"]
    projector.rows.values[~projector.rows.present] = 1e6
    torch.testing.assert_close(model.encode(everyone)["modal"], before, rtol=0, atol=0)


def test_features_of_another_graph_are_refused():
    with pytest.raises(ValueError, match="have 23 rows, the graph has 24 entities"):
        LBMKGC(24, RELATIONS, both())
    with pytest.raises(ValueError, match="takes features of one modality, got image, text"):
        IKRL(ENTITIES, RELATIONS, both())
    with pytest.raises(ValueError, match="structural=False needs features"):
        LBMKGC(ENTITIES, RELATIONS, structural=False)
    with pytest.raises(ValueError, match="attention is 'max'; expected one of 'scalar"):
        LBMKGC(ENTITIES, RELATIONS, both(), attention="max")
    with pytest.raises(ValueError, match="gate is 'open'; expected one of 'relation', 'mean"):
        LBMKGC(ENTITIES, RELATIONS, both(), gate="open")
    with pytest.raises(ValueError, match="p_norm is 3; expected one of 1, 2"):
        TransE(ENTITIES, RELATIONS, p_norm=3)
