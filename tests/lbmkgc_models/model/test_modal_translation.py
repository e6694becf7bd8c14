"""IKRL, TBKGC, QEB and MMKRL against their formulas, and on toys that are worked out by hand."""

from dataclasses import replace

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model import MULTIMODAL
from openke.module.model import TransE
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from tests.contracts.graphs import BATCHES, ENTITIES, RELATIONS, both, first_batch, one
from tests.lbmkgc_models.model.plain_formulas import EVERYONE, FORMULAS, alignment, gradients

SETTINGS = {
    "L1": {},
    "L2 margin": {"p_norm": 2, "norm_flag": False, "margin": 4.0, "epsilon": 2.0},
    "L2 norm": {"p_norm": 2},
    "L1 without norm": {"norm_flag": False},
}
names = pytest.mark.parametrize("name", FORMULAS)
shapes = pytest.mark.parametrize("shape", BATCHES)
settings = pytest.mark.parametrize("given", SETTINGS.values(), ids=SETTINGS)
modalities = pytest.mark.parametrize("modal", [both, one], ids=["image and text", "text"])


def made(name, features, dim=6, **given):
    torch.manual_seed(0)
    return MULTIMODAL[name](ENTITIES, RELATIONS, features, dim=dim, **given).double()


def taken(name, modal):
    return one() if getattr(MULTIMODAL[name], "one_modality", False) else modal()


@names
@settings
@modalities
def test_triples_score_as_the_formula_says(name, given, modal):
    features = taken(name, modal)
    model = made(name, features, **given)
    triples = (EVERYONE, EVERYONE % RELATIONS, (3 * EVERYONE + 1) % ENTITIES)
    found, expected = score_triples(model, *triples), FORMULAS[name](model, features, triples)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


@names
@settings
@pytest.mark.parametrize("side", ["head", "tail"])
def test_all_candidates_score_as_the_formula_says(name, given, side):
    features = taken(name, both)
    model = made(name, features, **given)
    anchor, relation = torch.tensor([0, 5, 5]), torch.tensor([1, 0, 3])
    found = score_all(model, side, anchor, relation)
    known, other = anchor.repeat_interleave(ENTITIES), EVERYONE.repeat(3)
    head, tail = (other, known) if side == "head" else (known, other)
    triples = (head, relation.repeat_interleave(ENTITIES), tail)
    expected = FORMULAS[name](model, features, triples).view(3, ENTITIES)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


@names
@shapes
def test_a_batch_scores_as_the_formula_says(name, shape):
    features, batch = taken(name, both), first_batch(shape)
    model = made(name, features)
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    triples = [ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail)]
    expected = FORMULAS[name](model, features, triples).view_as(found)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


ORIGINAL = {
    "TBKGC": {"tanh": True, "structure_dim": 4},
    "QEB": {"tanh": True, "structure_dim": 4, "missing": "trained"},
}
"""The papers' forms."""


@pytest.mark.parametrize("name", ORIGINAL)
@shapes
@modalities
def test_a_batch_scores_as_the_paper_says(name, shape, modal):
    features, batch = modal(), first_batch(shape)
    model = made(name, features, norm_flag=False, **ORIGINAL[name])
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    triples = [ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail)]
    expected = FORMULAS[name](model, features, triples).view_as(found)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


@pytest.mark.parametrize("name", ORIGINAL)
def test_structure_of_a_trained_model_is_kept(name):
    model = made(name, both(), **ORIGINAL[name])
    transe = TransE(ENTITIES, RELATIONS, dim=4).double()
    entities, relations = transe.ent_embeddings.weight, transe.rel_embeddings.weight
    model.keep_structure(entities, relations)
    assert torch.equal(model.ent_embeddings.weight, entities)
    assert torch.equal(model.rel_embeddings.weight, relations)
    frozen = [key for key, found in model.named_parameters() if not found.requires_grad]
    assert frozen == ["ent_embeddings.weight", "rel_embeddings.weight"]
    before = model.ent_embeddings.weight.clone()
    message = r"relations is \(4, 3\), expected \(4, 4\): with tanh set structure_dim to the"
    with pytest.raises(ValueError, match=message):
        model.keep_structure(entities + 1, relations[:, :3])
    assert torch.equal(model.ent_embeddings.weight, before)


def test_a_width_before_tanh_needs_tanh():
    with pytest.raises(ValueError, match="structure_dim is 4, the width before a tanh layer; set"):
        made("TBKGC", both(), structure_dim=4)


def set_rows(table, values):
    with torch.no_grad():
        table.weight.copy_(torch.tensor(values)[:, None])


def toy(name, **given):
    """Return a model where d = 1, s = (0, 1), r = 1 and m = (2, 0), and its triple (0, 0, 1)."""
    rows, people = torch.tensor([[2.0], [0.0]]), ["a", "b"]
    features = {"text": ModalFeatures.from_rows("text", people, rows, people)}
    model = MULTIMODAL[name](2, 1, features, dim=1, norm_flag=False, **given)
    set_rows(model.ent_embeddings, [0.0, 1.0])
    set_rows(model.rel_embeddings, [1.0])
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if "embeddings" not in parameter_name:
                parameter.fill_(float(parameter_name.endswith("weight")))  # matrices 1, biases 0
    return model, [torch.tensor([id]) for id in (0, 0, 1)]


@pytest.mark.parametrize(
    ("name", "energy"),
    [
        ("IKRL", 0 + 3 + 1 + 2),
        ("TBKGC", 0 + 3 + 1 + 2 + 2),
        ("MMKRL", (0 + 3 + 1 + 2) / 4),
        ("QEB", ((0 + 3 + 1 + 2 + 2) + (1 + 2 + 0 + 1 + 1)) / 10),
    ],
)
def test_a_toy_by_hand(name, energy):
    model, triple = toy(name, margin=7.0, epsilon=1.0)
    if name == "QEB":
        set_rows(model.modal_rel_embeddings, [0.0])
    torch.testing.assert_close(score_triples(model, *triple), torch.tensor([7.0 - energy]))


def nobody(features):
    return {
        name: replace(found, present=torch.zeros_like(found.present))
        for name, found in features.items()
    }


@pytest.mark.parametrize(
    ("name", "energies", "norm_flag"),
    [
        *(("IKRL", 4, norm_flag) for norm_flag in (True, False)),
        *(("MMKRL", 1, norm_flag) for norm_flag in (True, False)),
        # Without norm the energy of 2 s is no multiple of that of s.
        *((name, count, True) for name, count in (("TBKGC", 5), ("QEB", 1))),
    ],
)
def test_without_modalities_it_is_a_multiple_of_transe(name, energies, norm_flag):
    model = made(name, nobody(taken(name, both)), norm_flag=norm_flag)
    if name == "QEB":
        model.modal_rel_embeddings.load_state_dict(model.rel_embeddings.state_dict())
    if name == "MMKRL":  # structure is mapped to itself
        torch.nn.init.eye_(model.mapping.weight)
        for bias in (model.head_bias, model.tail_bias, model.relation_bias):
            torch.nn.init.zeros_(bias)
    transe = TransE(ENTITIES, RELATIONS, dim=6, norm_flag=norm_flag).double()
    for table in ("ent_embeddings", "rel_embeddings"):
        getattr(transe, table).load_state_dict(getattr(model, table).state_dict())
    triples = (EVERYONE, EVERYONE % RELATIONS, EVERYONE.flip(0))
    expected = energies * score_triples(transe, *triples)
    torch.testing.assert_close(score_triples(model, *triples), expected)


def test_tbkgc_whose_projections_are_zero():
    features = {"text": replace(one()["text"], present=torch.ones(ENTITIES, dtype=torch.bool))}
    model = made("TBKGC", features, norm_flag=False)
    for parameter in model.projectors.parameters():
        torch.nn.init.zeros_(parameter)
    s, x = model.ent_embeddings.weight, model.rel_embeddings.weight
    h, r, t = s[EVERYONE], x[EVERYONE % RELATIONS], s[EVERYONE.flip(0)]
    expected = -sum(row.abs().sum(1) for row in (h + r - t, h + r - t, r, r - t, h + r))
    triples = (EVERYONE, EVERYONE % RELATIONS, EVERYONE.flip(0))
    torch.testing.assert_close(score_triples(model, *triples), expected)


def test_qeb_has_relations_of_two_parts():
    model = made("QEB", both())
    rows = model.relation_embeddings(torch.tensor([2, 0]))
    assert torch.equal(rows[:, :6], model.rel_embeddings.weight[[2, 0]])
    assert torch.equal(rows[:, 6:], model.modal_rel_embeddings.weight[[2, 0]])
    assert not torch.equal(rows[:, :6], rows[:, 6:])
    assert model.relation_part_widths() == (6, 6)


def test_modalities_share_the_reals_of_tbkgc():
    for dim, widths in ((7, {"image": 4, "text": 3}), (2, {"image": 1, "text": 1})):
        views = made("TBKGC", both(), dim).views(EVERYONE)
        assert {name: views[name].shape[1] for name in widths} == widths
    assert made("TBKGC", one(), 7).views(EVERYONE)["text"].shape[1] == 7
    message = r"dim is 1, which 2 modalities \(image, text\) cannot share; expected 2 or more"
    with pytest.raises(ValueError, match=message):
        made("TBKGC", both(), 1)


def test_one_matrix_of_all_features_starts_as_pytorch_would_start_it():
    torch.manual_seed(0)
    projectors = MULTIMODAL["QEB"](ENTITIES, RELATIONS, both(), dim=4000).projectors
    bound = (5 + 6) ** -0.5
    for rows in (projectors.image.layers.weight, projectors.text.layers.weight, projectors.bias):
        assert 0.99 * bound < rows.abs().max() <= bound


@names
def test_some_modality_is_needed(name):
    with pytest.raises(ValueError, match=f"{name} takes features of one modality or more, got"):
        MULTIMODAL[name](ENTITIES, RELATIONS, {})


def test_the_alignment_of_a_toy_by_hand():
    model, triple = toy("MMKRL")
    loss = model.auxiliary_loss("alignment", model.encode(torch.arange(2)), *triple)
    torch.testing.assert_close(loss, torch.tensor(0.0 + 0 + 0 + 4 + 1))


@shapes
def test_the_alignment_is_over_all_triples_scored(shape):
    features, batch = both(), first_batch(shape)
    model = made("MMKRL", features)
    rows = model.encode(batch.entities)
    at = score_batch(model, batch, rows)
    found = model.auxiliary_loss(
        "alignment", rows, at.entities.head, at.relations, at.entities.tail
    )
    triples = [ids.reshape(-1) for ids in (batch.head, batch.relation, batch.tail)]
    expected = alignment(model, features, triples)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_noise_is_added_to_mapped_structure_and_modalities():
    model = made("MMKRL", both(), norm_flag=False)
    views = model.views(EVERYONE)
    noise = torch.randn_like(views["entity"])
    plain, noisy = model.fuse(views), model.fuse({**views, "noise": noise})
    for part in ("as head", "as tail", "modal"):
        torch.testing.assert_close(noisy[part] - plain[part], noise)
    assert torch.equal(noisy["entity"], plain["entity"])
