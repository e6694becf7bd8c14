"""What holds for every registered multimodal model, and for every way to weigh modalities."""

from dataclasses import fields, replace

import pytest
import torch
from torch.nn.functional import normalize

from lbmkgc_models.fusion.feature_rows import FeatureRows
from lbmkgc_models.fusion.modality_attention import ATTENTION_FORMS, ModalityAttention
from lbmkgc_models.model import MULTIMODAL
from openke.module.loss import LOSSES
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.encodings import presence
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import ENTITIES, MODELS, RELATIONS, both, first_batch, one, sizes_of
from tests.contracts.registered import loadable

models = pytest.mark.parametrize("name", loadable(MULTIMODAL))


def given(name):
    """Return features as a training hands them to a model."""
    return one() if getattr(MODELS[name], "one_modality", False) else both()


def made(name, features, **settings):
    torch.manual_seed(0)
    kind = MODELS[name]
    sizes = dict.fromkeys(sizes_of(kind), 6)
    return kind(ENTITIES, RELATIONS, features=features, **sizes, **settings).eval()


def tunes(name):
    """Return whether a model has the setting that trains its features, too."""
    return "tuned" in {field.name for field in fields(MODELS[name].Config)}


def rows_of(model):
    """Return the parts that hold features, by modality as features are sorted."""
    return [part for part in model.modules() if isinstance(part, FeatureRows)]


def scores_of(model):
    anchor = torch.arange(ENTITIES)
    relation = anchor % RELATIONS
    with torch.no_grad():
        return torch.stack([score_all(model, side, anchor, relation) for side in ("tail", "head")])


def changed(features, where):
    """Return features with other numbers in some rows, Bool["entities"] of each modality."""
    return {
        name: replace(
            found,
            values=torch.where(where(found)[:, None], found.values.square() + 3, found.values),
        )
        for name, found in features.items()
    }


def standardised(rows):
    return (rows - rows.mean(dim=0)) / rows.std(dim=0)


def same_features(rows, others):
    """Return whether rows are others, but for scales that a model may choose."""
    return any(
        torch.allclose(change(rows), change(others), atol=1e-5)
        for change in (standardised, normalize)
    )


@models
def test_scores_depend_on_features(name):
    features = given(name)
    found = scores_of(made(name, features))
    model = made(name, changed(features, lambda f: f.present))
    other = scores_of(model)
    rows = [at for at, part in model.named_modules() if isinstance(part, FeatureRows)]
    if rows and all(at.split(".")[0] in model.unscored for at in rows):
        assert torch.equal(found, other), "features are for sampling alone, and yet are scored"
        return
    assert not torch.allclose(found, other)


@models
def test_rows_of_entities_that_lack_a_modality_mean_nothing(name):
    features = given(name)
    found = scores_of(made(name, features))
    other = scores_of(made(name, changed(features, lambda f: ~f.present)))
    assert torch.equal(found, other), "a missing modality must be masked, see present"


@models
def test_encoding_is_the_fusion_of_views_where_views_may_be_exchanged(name):
    model = made(name, given(name))
    if not model.modal_views:
        pytest.skip("it is fused in one go")
    entities = torch.tensor([3, 0, 7, 11])
    views = model.views(entities)
    for view in model.modal_views:
        assert views[view].shape[0] == len(entities)
        assert torch.equal(views[presence(view)][:, 0], given(name)[view].present[entities])
    found, fused = model.encode(entities), model.fuse(views)
    assert set(found) == set(fused)
    for part, rows in found.items():
        assert torch.equal(rows, fused[part])
    lacking = {
        **views,
        **{presence(v): torch.zeros_like(views[presence(v)]) for v in model.modal_views},
    }
    alone, changed = (
        model.fuse(lacking),
        model.fuse({**lacking, **{v: views[v] + 1 for v in model.modal_views}}),
    )
    for part, rows in alone.items():
        assert torch.equal(rows, changed[part]), "a view that is not there must not matter"


@models
def test_features_are_neither_trained_nor_saved(name):
    model = made(name, given(name), **({"tuned": False} if tunes(name) else {}))
    numbers = {values.data_ptr() for values in model.state_dict().values()}
    numbers |= {parameter.data_ptr() for parameter in model.parameters()}
    frozen = [buffer for buffer in model.buffers() if buffer.data_ptr() not in numbers]
    for modality, features in given(name).items():
        alike = [buffer for buffer in frozen if buffer.shape == features.values.shape]
        here = features.present  # the model may have standardised them
        kept = any(same_features(b[here], features.values[here]) for b in alike)
        # Or packed: those alone that are there.
        there = features.values[here]
        kept |= any(same_features(b, there) for b in frozen if b.shape == there.shape)
        # Or of another width, in the part that is for it.
        kept |= any(part.frozen is not None and part.dim != features.dim for part in rows_of(model))
        assert kept, f"{modality}: keep features as register_buffer(…, persistent=False)"


@pytest.mark.parametrize("name", [n for n in loadable(MULTIMODAL) if tunes(n)])
def test_tuned_features_are_trained_and_saved(name):
    features = given(name)
    before = {modality: found.values.clone() for modality, found in features.items()}
    model = made(name, features, tuned=True).train()
    strategy = NegativeSampling(model, LOSSES["SigmoidLoss"]())
    strategy(first_batch("mixed")).backward()
    for modality, part in zip(sorted(features), rows_of(model), strict=True):
        found, table = features[modality], part.tuned.weight
        if part.dim == found.dim:
            assert same_features(table[found.present], found.values[found.present])
        assert (table.grad[found.present].abs().sum(dim=1) > 0).any()
        assert not table.grad[~part.present].any()
        assert any(table is parameter for parameter in model.parameters())
        assert any(table is kept for kept in model.state_dict(keep_vars=True).values())
        with torch.no_grad():
            table.add_(1.0)
        assert torch.equal(found.values, before[modality]), "those of other models are changed"
    assert model.identity()["features"] == made(name, features).identity()["features"]


@models
def test_a_checkpoint_knows_the_features_it_was_trained_with(name):
    features = given(name)
    model, again = made(name, features), made(name, given(name))
    other = made(name, changed(features, lambda f: f.present))
    assert model.identity() == again.identity()
    assert set(model.identity()["features"]) == set(features), "identity() names them by modality"
    assert model.identity() != other.identity()


@models
def test_features_of_another_graph_are_refused(name):
    kind = MODELS[name]
    with pytest.raises(ValueError, match="features have 23 rows, the graph has 5 entities"):
        kind(5, RELATIONS, features=given(name), **dict.fromkeys(sizes_of(kind), 6))


@pytest.mark.parametrize("form", ATTENTION_FORMS)
def test_weights_of_modalities_sum_to_one_where_there_is_any(form):
    generator = torch.Generator().manual_seed(0)
    modal = [torch.randn(4, 6, generator=generator) for _ in range(3)]
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]]).bool()
    attention = ModalityAttention(6, form)
    weights = attention.weights(modal, present)
    assert (weights[~present] == 0).all()
    total = weights.sum(dim=1)
    torch.testing.assert_close(total, present.any(dim=1, keepdim=True).float().expand_as(total))
    assert torch.equal(attention(modal, present)[3], torch.zeros(6))
