"""IMF: its heads and their joint score against formulas in float64, and TuckER inside it."""

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.digest import digest_of
from lbmkgc_models.fusion.resized import resized
from lbmkgc_models.model.imf import IMF
from openke.data import QueryDataLoader
from openke.module.model import Reciprocal, TuckER
from openke.module.scoring.all_entities import encode_all, score_all
from openke.module.scoring.negatives import score_batch
from openke.module.scoring.triples import score_triples
from openke.module.strategy import KVsAll, OneVsAll
from tests.contracts.graphs import ENTITIES, RELATIONS, both, first_batch, graph, one, worn
from tests.lbmkgc_models.model.plain_formulas import EVERYONE, gradients

TRIPLES = (EVERYONE, EVERYONE % RELATIONS, (3 * EVERYONE + 1) % ENTITIES)
SILENT = {"input_dropout": 0.0, "hidden_dropout1": 0.0, "hidden_dropout2": 0.0}


def made(features=None, relations=RELATIONS, **settings):
    torch.manual_seed(0)
    given = both() if features is None else features
    return worn(IMF(ENTITIES, relations, given, **{"dim": 4, **settings})).double().eval()


def fused(fusion, rows):
    total = 0.0
    for layers in fusion.layers:
        product = 1.0
        for layer, row in zip(layers, rows, strict=True):
            product = product * (row @ layer.weight.T + layer.bias).clamp(min=0)
        total = total + product
    return total.clamp(min=0)


def test_its_identity_is_of_the_features_that_it_was_given():
    model = IMF(ENTITIES, RELATIONS, both(), dim=4)
    expected = {name: digest_of(each.values, each.present) for name, each in both().items()}
    assert model.identity()["features"] == expected


def normed(norm, rows):
    return (rows - norm.running_mean) / (
        norm.running_var + norm.eps
    ).sqrt() * norm.weight + norm.bias


def tables(model):
    """Return vectors of all entities and of all relations by head."""
    e = {"entity": model.ent_embeddings.weight}
    e |= {name: rows(EVERYONE) for name, rows in model.modal_rows.items()}
    r = {name: table.weight for name, table in model.rel_tables.items()}
    e["fused"] = fused(model.entity_fusion, list(e.values()))
    r["fused"] = fused(model.relation_fusion, list(r.values()))
    return e, r


def logits(model, side, anchor, relation):
    """Return l_m of all entities, Float["q e"], by head."""
    e, r = tables(model)
    found = {}
    for name, head in model.score_heads.items():
        dim = model.config.dim
        core = head.core.weight.view(dim, dim, dim)  # [head, tail, relation]
        known = normed(head.anchor_norm, e[name][anchor])
        way = "ijk,qi,qk->qj" if side == "tail" else "ijk,qj,qk->qi"
        moved = torch.einsum(way, core, known, r[name][relation])
        found[name] = normed(head.query_norm, moved) @ e[name].T
    return found


def joined(found):
    p = torch.stack([scores.sigmoid() for scores in found.values()]).mean(dim=0)
    return (p / (1 - p)).log()


@pytest.mark.parametrize("features", [both(), one()], ids=["image and text", "text"])
@pytest.mark.parametrize("side", ["head", "tail"])
@pytest.mark.parametrize("tuned", [True, False])
def test_all_candidates_score_as_the_formula_says(features, side, tuned):
    model = made(features, tuned=tuned)
    anchor, relation = torch.tensor([0, 5, 5, 9]), torch.tensor([1, 0, 3, 1])
    found = score_all(model, side, anchor, relation)
    expected = joined(logits(model, side, anchor, relation))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


@pytest.mark.parametrize("shape", ["tail", "shared tail"])
def test_a_batch_scores_as_the_formula_says(shape):
    model, batch = made(), first_batch(shape)
    scores = score_batch(model, batch)
    found = torch.cat([scores.positive[:, None], scores.negative], dim=1)
    expected = joined(logits(model, "tail", batch.head[:, 0], batch.relation[:, 0]))
    expected = expected.gather(1, batch.tail)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradients(model, found), gradients(model, expected))


def test_each_head_has_a_loss_of_its_own():
    model = Reciprocal(made(relations=2 * RELATIONS))
    batch = next(QueryDataLoader(graph(), 16, targets="all").epoch(0))
    relation = batch.relation.clone()
    relation[batch.tails :] += RELATIONS
    labels = torch.zeros(len(batch), ENTITIES, dtype=torch.double)
    for row in range(len(batch)):
        labels[row, batch.answer[batch.offsets[row] : batch.offsets[row + 1]]] = 1.0
    labels = 0.9 * labels + 1 / ENTITIES
    loss = KVsAll(model, "bce-conve", label_smoothing=0.1)(batch)
    heads = logits(model.inner, "tail", batch.anchor, relation)
    expected = sum(binary_cross_entropy_with_logits(found, labels) for found in heads.values())
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(gradients(model, loss), gradients(model, expected))


def tucker_of(model):
    """Return the TuckER that the head of structure is."""
    plain = TuckER(ENTITIES, model.rel_tot, dim=4, dim_r=4, **SILENT).double()
    plain.load_state_dict(
        {
            **model.score_heads["entity"].state_dict(),
            "ent_embeddings.weight": model.ent_embeddings.weight,
            "rel_embeddings.weight": model.rel_tables["entity"].weight,
        }
    )
    return plain


class Alone(IMF):
    """The head of structure alone."""

    def heads(self, query, candidates, compare):
        return super().heads(query, candidates, compare)[:1]


@pytest.mark.parametrize("training", [False, True])
def test_one_head_alone_is_tucker(training):
    torch.manual_seed(0)
    model = worn(Alone(ENTITIES, RELATIONS, both(), dim=4, **SILENT)).double().train(training)
    plain = tucker_of(model).train(training)
    batch = next(QueryDataLoader(graph(), 16).epoch(0))
    torch.testing.assert_close(OneVsAll(model)(batch), OneVsAll(plain)(batch))
    if not training:
        torch.testing.assert_close(score_triples(model, *TRIPLES), score_triples(plain, *TRIPLES))


def test_modalities_may_change_places_with_all_that_is_theirs():
    given = both()
    model, other = made(given), made({"image": given["text"], "text": given["image"]})
    places = {"image": "text", "text": "image"}
    state = {}
    for name, values in model.state_dict().items():
        parts = [places.get(part, part) for part in name.split(".")]
        if "fusion" in parts[0]:  # layers.PART.MODALITY: structure, image, text
            parts[3] = {"0": "0", "1": "2", "2": "1"}[parts[3]]
        state[".".join(parts)] = values
    other.load_state_dict(state)
    torch.testing.assert_close(score_triples(other, *TRIPLES), score_triples(model, *TRIPLES))


def test_ranks_are_those_of_the_mean_of_probabilities():
    model = made()
    anchor, relation = torch.tensor([0, 7]), torch.tensor([1, 2])
    found = score_all(model, "tail", anchor, relation)
    heads = logits(model, "tail", anchor, relation).values()
    mean = torch.stack([scores.sigmoid() for scores in heads]).mean(dim=0)
    assert torch.equal(found.argsort(dim=1), mean.argsort(dim=1))
    for scale in (1e3, -1e3):  # a probability of 0 or 1 has a logit, too
        with torch.no_grad():
            model.ent_embeddings.weight.mul_(scale)
        assert score_all(model.float(), "tail", anchor, relation).isfinite().all()


def test_features_are_of_length_one_and_averaged():
    rows = torch.tensor([[3.0, 0, 0, 4, 0, 0], [0, 0, 0, 0, 0, 2]])
    features = ModalFeatures.from_rows("text", ["a", "b"], rows, ["a", "b", "c"])
    narrow = resized(features, 3).values
    torch.testing.assert_close(narrow[0], torch.tensor([0.3, 0.4, 0.0]))
    torch.testing.assert_close(narrow[1], torch.tensor([0.0, 0.0, 0.5]))
    wide = resized(features, 8).values
    torch.testing.assert_close(wide[0], torch.tensor([0.6, 0, 0, 0.8, 0, 0, 0, 0]))


def test_squares_are_averaged_as_squares():
    rows = torch.arange(16.0).view(1, 16)
    features = ModalFeatures.from_rows("image", ["a"], rows, ["a"])
    square = torch.tensor([[2.5, 4.5, 10.5, 12.5]]) / rows.norm()
    torch.testing.assert_close(resized(features, 4).values, square)
    line = torch.tensor([[3.5, 11.5]]) / rows.norm()
    torch.testing.assert_close(resized(features, 2).values, line)


def test_an_entity_without_a_picture_starts_as_the_mean_picture():
    image = resized(both()["image"], 4)
    rows = encode_all(made())["image"].float()
    torch.testing.assert_close(rows[image.present], image.values[image.present])
    mean = image.values[image.present].mean(dim=0)
    lacking = rows[~image.present]
    assert len(lacking)
    torch.testing.assert_close(lacking, mean.expand_as(lacking))


def test_a_relation_s_matrix_is_made_once_for_all_its_queries(monkeypatch):
    model, seen = made(), []
    for head in model.score_heads.values():
        make = head.core.forward
        monkeypatch.setattr(
            head.core, "forward", lambda x, make=make: (seen.append(len(x)), make(x))[1]
        )
    score_all(model, "tail", torch.arange(10), torch.tensor([0, 0, 2] * 3 + [2]))
    assert seen == [2] * 4


def test_the_published_sizes_are_those_of_no_settings():
    c = IMF.Config()
    rates = (c.input_dropout, c.hidden_dropout1, c.hidden_dropout2, c.fusion_dropout)
    assert (c.dim, c.fusion_parts, c.tuned) == (256, 2, True)
    assert rates == (0.3, 0.4, 0.5, 0.2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="IMF takes features of one modality or more, got none"):
        IMF(ENTITIES, RELATIONS, {})
    with pytest.raises(ValueError, match=r"fusion_dropout is 1.0; expected a number from 0 to bel"):
        made(fusion_dropout=1.0)
