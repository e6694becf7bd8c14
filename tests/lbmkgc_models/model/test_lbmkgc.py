"""LBMKGC in front of every interaction, and what keeps its modalities able to stand alone."""

import copy
from dataclasses import replace

import pytest
import torch

from lbmkgc_models.fusion.projection import ModalProjector
from lbmkgc_models.fusion.structural_interaction import INTERACTIONS
from lbmkgc_models.fusion.structure_mask import StructureMask, seen_in_train
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.runs.make_model import make_multimodal
from openke.config import Trainer
from openke.data.store import TripleStore
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.model import MODELS, RotatE
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.scoring.compare import Pairwise
from openke.module.scoring.encodings import take
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import (
    ENTITIES,
    INNER,
    MODERN,
    RELATIONS,
    both,
    everyone,
    features,
    first_batch,
    fused,
    graph,
    one,
)

EVERYONE = torch.arange(ENTITIES)
MODAL = both()["image"].present | both()["text"].present
"""Whether an entity has any modality."""


def joint_rows(model, relation, without=()):
    """Return every entity's fused row, entity by entity; those ``without`` have no structure."""
    modal, present = model.projectors(EVERYONE)
    mixed = model.attention(modal, present)
    structural = model.interaction.entity_embeddings(EVERYONE)
    zeta = model.gate.logit[relation].sigmoid() if model.gated else None
    rows = []
    for i in range(ENTITIES):
        e_s, e_mm, alone = structural[i], mixed[i], i in without
        if not MODAL[i]:
            row = e_s
        elif model.config.gate == "relation":
            row = e_mm if alone else zeta * e_s + (1 - zeta) * e_mm
        elif model.config.gate == "sum":
            row = e_mm if alone else e_s + e_mm
        else:
            n = present[i].sum()
            row = e_mm if alone else (e_s + n * e_mm) / (1 + n)
        rows.append(row)
    return torch.stack(rows)


@pytest.mark.parametrize("settings", [{}, {"drop_structure": 0.4}])
def test_rows_are_the_same_where_no_entity_lacks_all_modalities(settings):
    torch.manual_seed(0)
    model = LBMKGC(ENTITIES, RELATIONS, everyone(), dim=4, **settings).train()
    assert model.projectors.complete
    assert model.mask.active == bool(settings)
    found = []
    for complete in (True, False):
        model.projectors.complete = complete
        torch.manual_seed(1)
        found.append(model.encode(EVERYONE))
    for name in ("entity", "modal"):
        assert torch.equal(found[0][name], found[1][name])
    assert not LBMKGC(ENTITIES, RELATIONS, both(), dim=4).projectors.complete


def unseen(model):
    return set() if model.mask.seen is None else set((~model.mask.seen).nonzero()[:, 0].tolist())


@pytest.mark.parametrize("gate", ["relation", "sum", "mean"])
@pytest.mark.parametrize("name", INTERACTIONS)
def test_an_interaction_scores_the_fused_rows(name, gate):
    torch.manual_seed(0)
    settings = {"interaction_settings": INNER.get(name, {}), "gate": gate}
    model = fused(interaction=name, **settings).eval().double()
    inner = model.interaction
    assert type(inner) is MODELS[name]
    for relation in range(RELATIONS):
        rows = {"entity": joint_rows(model, relation, unseen(model))}
        head, tail = torch.tensor([0, 4, 7]), torch.tensor([1, 9, 7])
        relations = torch.full_like(head, relation)
        queries = inner.query(take(rows, head), relations, "tail")
        expected = inner.match(queries, rows, Pairwise(torch.arange(3), tail))
        torch.testing.assert_close(score_triples(model, head, relations, tail), expected)


@pytest.mark.parametrize("name", sorted(set(MODELS) - set(INTERACTIONS)))
def test_models_whose_entities_are_not_one_row_are_refused(name):
    with pytest.raises(ValueError, match=f"interaction is '{name}'.*; expected one of 'Analogy', "):
        LBMKGC(ENTITIES, RELATIONS, both(), interaction=name)


def test_tables_keep_the_names_they_had():
    expected = {"ent_embeddings.weight", "rel_embeddings.weight", "attention.vector", "gate.logit"}
    for modality in ("image", "text"):
        for layer in (0, 2):
            prefix = f"projectors.{modality}.layers.{layer}"
            expected |= {f"{prefix}.weight", f"{prefix}.bias"}
    model = LBMKGC(ENTITIES, RELATIONS, both(), dim=4)
    assert set(model.state_dict()) == expected
    assert set(dict(model.named_parameters())) == expected


def test_it_starts_from_the_tables_of_a_trained_interaction():
    rotate = RotatE(ENTITIES, RELATIONS, dim=4)
    model = LBMKGC(ENTITIES, RELATIONS, both(), dim=4)
    model.set_parameters(rotate.get_parameters())
    torch.testing.assert_close(
        model.entity_embeddings(EVERYONE), rotate.entity_embeddings(EVERYONE)
    )
    alone = LBMKGC(ENTITIES, RELATIONS, dim=4, margin=6.0)
    alone.set_parameters(rotate.get_parameters())
    triples = (EVERYONE, EVERYONE % RELATIONS, EVERYONE.flip(0))
    torch.testing.assert_close(score_triples(alone, *triples), score_triples(rotate, *triples))


def test_a_copy_has_tables_of_its_own():
    model = fused(interaction="TuckER").eval()
    other = copy.deepcopy(model).train()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
    assert (score_all(other.eval(), "tail", EVERYONE, EVERYONE % RELATIONS) == 0).all()
    assert (score_all(model, "tail", EVERYONE, EVERYONE % RELATIONS) != 0).any()


def test_an_interaction_that_is_directed_makes_a_directed_model():
    assert fused(interaction="TuckER").asymmetric_queries
    assert not fused(interaction="ComplEx").asymmetric_queries


@pytest.mark.parametrize("gate", ["relation", "sum", "mean"])
def test_unseen_entities_are_their_modalities_alone(gate):
    model = fused(interaction="DistMult", gate=gate)
    alone = ~model.mask.seen & MODAL
    for mode in (True, False):
        before = score_all(model.train(mode), "tail", EVERYONE, EVERYONE % RELATIONS)
        with torch.no_grad():
            model.ent_embeddings.weight[alone] = torch.randn(int(alone.sum()), 4)
        after = score_all(model, "tail", EVERYONE, EVERYONE % RELATIONS)
        torch.testing.assert_close(after, before)
    NegativeSampling(model, SigmoidLoss())(first_batch("shared mixed")).backward()
    gradient = model.ent_embeddings.weight.grad.abs().sum(dim=1)
    assert alone.any()
    assert (gradient[alone] == 0).all()
    # What has no modality keeps its row, seen or not.
    bare = ~model.mask.seen & ~MODAL
    with torch.no_grad():
        model.ent_embeddings.weight[bare] += 1
    changed = score_all(model, "tail", EVERYONE, EVERYONE % RELATIONS) != after
    assert bare.any()
    assert changed[:, bare].any()


def test_entities_drop_their_structure_at_random_in_training_only():
    mask = StructureMask(0.3, None)
    some = torch.ones(20000, 1, dtype=torch.bool)
    some[::2] = False
    entities = torch.arange(20000)
    kept = mask(entities, some)
    assert kept[::2].all()
    assert 0.68 < kept[1::2].float().mean() < 0.72
    assert mask.eval()(entities, some).all()


@pytest.mark.parametrize("gate", ["relation", "sum", "mean"])
def test_an_entity_is_the_same_as_query_and_as_answer_of_a_step(gate, monkeypatch):
    model = fused(interaction="DistMult", gate=gate, drop_structure=0.5).double().train()
    encode, seen = model.encode, []
    monkeypatch.setattr(model, "encode", lambda ids: seen.append((ids, encode(ids))) or seen[-1][1])
    batch = first_batch("mixed")
    scores = score_batch(model, batch)
    ((ids, rows),) = seen
    table = {name: values.new_zeros(ENTITIES, 4) for name, values in rows.items()}
    for name, values in rows.items():
        table[name][ids] = values
    head, relation, tail = batch.positive.unbind(dim=1)
    queries = model.query(take(table, head), relation, "tail")
    expected = model.match(queries, table, Pairwise(torch.arange(len(head)), tail))
    torch.testing.assert_close(scores.positive, expected)
    # Some are their modalities alone, some are not.
    mixed = model.attention(*model.projectors(ids))
    alone = (rows["entity"] == mixed).all(dim=1)[model.mask.seen[ids] & MODAL[ids]]
    assert alone.any()
    assert not alone.all()


def test_seen_in_train_looks_at_train_alone():
    store = TripleStore.from_triples(
        [[0, 0, 3], [3, 0, 5]], valid=[[1, 0, 2]], test=[[4, 0, 0]], entities=6, relations=1
    )
    assert seen_in_train(store).tolist() == [True, False, False, True, False, True]


def test_a_model_is_made_with_the_unseen_entities_of_a_store():
    store = graph()
    for drop_unseen in (True, False):
        settings = {"dim": 4, "drop_unseen": drop_unseen}
        model = make_multimodal("LBMKGC", store, 2 * RELATIONS, both(), settings)
        assert (model.ent_tot, model.rel_tot) == (ENTITIES, 2 * RELATIONS)
        assert (model.mask.seen is not None) == drop_unseen
    assert torch.equal(
        make_multimodal("LBMKGC", store, 4, both(), {"drop_unseen": True}).mask.seen,
        seen_in_train(store),
    )
    assert isinstance(make_multimodal("IKRL", store, 4, one(), {}), MULTIMODAL["IKRL"])


def trainer(epochs):
    loader = TrainDataLoader(graph(), batch_size=16, neg_ent=4)
    strategy = NegativeSampling(fused(interaction="TuckER", **MODERN), SigmoidLoss())
    return Trainer(strategy, loader, epochs, 0.05, opt_method="adam", device="cpu", progress=False)


def test_a_resumed_run_is_an_unbroken_one(tmp_path):
    torch.manual_seed(1)
    whole = trainer(4)
    begun = trainer(2)
    begun.strategy.load_state_dict(whole.strategy.state_dict())
    for run in (whole, begun):
        torch.manual_seed(2)
        run.run()
    begun.save(tmp_path / "last.ckpt")
    resumed = trainer(4)
    resumed.resume(tmp_path / "last.ckpt")
    resumed.run()
    assert resumed.history.losses == whole.history.losses
    for name, values in whole.strategy.state_dict().items():
        assert torch.equal(values, resumed.strategy.state_dict()[name]), name


def test_unseen_entities_are_part_of_the_identity():
    one = LBMKGC(ENTITIES, RELATIONS, both(), dim=4)
    assert "seen" not in one.identity()
    others = [
        LBMKGC(ENTITIES, RELATIONS, both(), seen=first < EVERYONE, drop_unseen=True, dim=4)
        for first in (3, 4)
    ]
    assert len({other.identity()["seen"] for other in others}) == 2
    assert "mask.seen" not in one.state_dict()


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("norm", [True, False])
def test_projected_features_start_at_a_scale(hidden, norm):
    found = features("text", 6, 2)
    projector = ModalProjector(found, 8, hidden=hidden, norm=norm, scale=1e-3)
    rows = projector(EVERYONE[found.present])
    assert abs(rows.square().mean().sqrt().item() / 1e-3 - 1) < 1e-3
    assert (projector.dropout.p, isinstance(projector.norm, torch.nn.LayerNorm)) == (0, norm)


def test_a_scale_of_features_that_nobody_has_changes_nothing():
    found = features("text", 6, 2)
    nobody = replace(found, present=torch.zeros_like(found.present))
    projector = ModalProjector(nobody, 8, scale=1e-3)
    assert projector(EVERYONE).isfinite().all()


def test_modal_dropout_forgets_in_training_only():
    model = LBMKGC(ENTITIES, RELATIONS, both(), dim=50, modal_dropout=0.5)
    forgotten = [(model.train(on).projectors(EVERYONE)[0][0] == 0) for on in (True, False)]
    assert 0.45 < forgotten[0].float().mean() < 0.55
    assert not forgotten[1].any()


def test_penalties_of_factors_see_what_enters_the_score():
    gated = fused(interaction="ComplEx").eval()
    rows = encode_all(gated)
    factors = gated.factors(EVERYONE)
    torch.testing.assert_close(factors, torch.cat([rows["entity"], rows["modal"]], dim=1))
    moduli = gated.entity_moduli(factors)
    parts = [gated.interaction.entity_moduli(part) for part in (rows["entity"], rows["modal"])]
    torch.testing.assert_close(moduli, torch.cat(parts, dim=1))
    summed = fused(interaction="ComplEx", gate="sum").eval()
    torch.testing.assert_close(summed.factors(EVERYONE), encode_all(summed)["entity"])
    structural = fused(interaction="ComplEx", gate="sum", penalized="structure").eval()
    rows = structural.factors(EVERYONE, encode_all(structural))
    assert torch.equal(rows, structural.entity_embeddings(EVERYONE))
    torch.testing.assert_close(structural.vectors(EVERYONE), encode_all(structural)["entity"])
    relations = torch.arange(RELATIONS)
    inner = summed.interaction
    torch.testing.assert_close(
        summed.relation_moduli(summed.relation_embeddings(relations)),
        inner.relation_moduli(inner.relation_embeddings(relations)),
    )
    rotate = RotatE(ENTITIES, RELATIONS, dim=4)
    assert torch.equal(rotate.factors(EVERYONE), rotate.entity_embeddings(EVERYONE))


@pytest.mark.parametrize("name", ["ComplEx", "DistMult"])
def test_sums_are_linear_in_the_relation_where_their_interaction_is(name):
    model = fused(interaction=name, gate="sum").eval()
    assert model.linear_in_relation
    assert not fused(interaction=name).linear_in_relation
    assert not fused(interaction="RotatE", gate="sum").linear_in_relation
    rows, relation, tail = encode_all(model), EVERYONE % RELATIONS, EVERYONE.flip(0)
    query = model.relation_query(rows, take(rows, tail))
    found = (query * model.relation_embeddings(relation)).sum(dim=1)
    torch.testing.assert_close(found, score_triples(model, EVERYONE, relation, tail))


def test_the_published_penalty_sees_the_structural_rows():
    model = fused(interaction="Analogy").eval()
    assert torch.equal(
        model.entity_embeddings(EVERYONE), model.interaction.entity_embeddings(EVERYONE)
    )
    assert model.entity_part_widths() == model.interaction.entity_part_widths() == (4, 4, 8)
    assert fused(structural=False).entity_part_widths() == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"gate": "open"}, "gate is 'open'; expected one of 'relation', 'mean', 'sum'"),
        ({"projection": "deep"}, "projection is 'deep'; expected one of 'mlp', 'linear'"),
        ({"drop_structure": 1.0}, "drop_structure is 1.0; expected a number from 0 to below 1"),
        ({"modal_dropout": -0.1}, "modal_dropout is -0.1; expected a number"),
        ({"modal_scale": 0.0}, "modal_scale is 0.0; expected a number above 0, or null"),
        ({"interaction_settings": {"dim": 3}}, "holds dim: of RotatE, dim, margin, epsilon are"),
        (
            {"interaction": "TransE", "interaction_settings": {"norm_flag": True}},
            "holds norm_flag: of TransE, .* own settings and norm_flag must be as they are",
        ),
        ({"interaction_settings": {"p": 1}}, "RotatE has no setting 'p'; it knows dim, margin"),
        (
            {"seen": torch.ones(3, dtype=torch.bool), "drop_unseen": True},
            r"seen is \[3\], expected \[23\]",
        ),
        ({"drop_unseen": True}, "drop_unseen is True and seen is missing: they belong together"),
        ({"seen": EVERYONE > 3}, "drop_unseen is False and seen is given: they belong together"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LBMKGC(ENTITIES, RELATIONS, both(), **settings)
