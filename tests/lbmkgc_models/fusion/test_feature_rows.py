"""Features frozen or tuned, and what stands for missing ones."""

from dataclasses import replace

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import FeatureRows
from lbmkgc_models.fusion.projection import ModalProjector, Projectors
from openke.training.optimizers import tables_by_row
from tests.contracts.graphs import ENTITIES, build, features
from tests.openke.training.optimizers.test_choose import strategy

EVERYONE = torch.arange(ENTITIES)
TEXT = features("text", 6, 2)


@pytest.mark.parametrize("tuned", [False, True])
@pytest.mark.parametrize("missing", ["mask", "zero", "mean"])
def test_rows_that_are_there_are_the_features(missing, tuned):
    rows = FeatureRows(TEXT, tuned=tuned, missing=missing)
    found, here = rows(EVERYONE), TEXT.present
    assert torch.equal(found, rows.values)
    assert torch.equal(found[here], TEXT.values[here])
    assert torch.equal(rows.present, here if missing == "mask" else torch.ones_like(here))
    expected = {"zero": torch.zeros(6), "mean": TEXT.values[here].mean(dim=0)}
    if missing != "mask":
        assert torch.equal(found[~here], expected[missing].expand(int((~here).sum()), -1))
    assert rows.digest() == FeatureRows(TEXT).digest()


@pytest.mark.parametrize("missing", ["zero", "mean"])
def test_of_several_rows_only_those_of_entities_without_any_are_filled(missing):
    names = ["a", "a", "b"]
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0], [8.0, 9.0]])
    found = ModalFeatures.from_rows("image", names, values, ["a", "b", "c"], several=True)
    rows = FeatureRows(found, missing=missing)
    assert rows.present.tolist() == [[True, True], [True, False], [True, True]]
    assert torch.equal(rows.values[0], values[:2])
    expected = {"zero": torch.zeros(2), "mean": torch.tensor([4.0, 5.0])}[missing]
    assert torch.equal(rows.values[2], expected.expand(2, -1))


@pytest.mark.parametrize("tuned", [False, True])
def test_a_trained_vector_stands_for_what_is_missing(tuned):
    rows = FeatureRows(TEXT, tuned=tuned, missing="trained")
    here = TEXT.present
    assert torch.equal(rows.substitute, TEXT.values[here].mean(dim=0))
    with torch.no_grad():
        rows.substitute.fill_(7.0)
    found = rows(EVERYONE)
    assert torch.equal(found, rows.values)
    assert torch.equal(found[here], TEXT.values[here])
    assert (found[~here] == 7.0).all()
    assert rows.present.all()
    found.sum().backward()
    assert (rows.substitute.grad == (~here).sum()).all()
    complete = replace(TEXT, present=torch.ones_like(here))
    assert not list(FeatureRows(complete, missing="trained").parameters())


@pytest.mark.parametrize("missing", ["zero", "mean"])
def test_a_modality_that_all_lack_is_zeros(missing):
    nobody = replace(TEXT, present=torch.zeros_like(TEXT.present))
    assert not FeatureRows(nobody, missing=missing)(EVERYONE).any()


def test_standardised_rows_have_mean_zero_and_variance_one_where_they_are_there():
    values = TEXT.values.clone()
    values[:, 2] = 7.0  # says nothing
    found = replace(TEXT, values=values)
    rows = FeatureRows(found, standardised=True)
    assert rows.digest() == FeatureRows(found).digest()
    assert not rows(EVERYONE)[~found.present].any()
    here = rows(EVERYONE)[found.present]
    expected = torch.tensor([1.0, 1, 0, 1, 1, 1])
    torch.testing.assert_close(here.mean(dim=0), torch.zeros(6), atol=1e-6, rtol=0)
    torch.testing.assert_close(here.square().mean(dim=0), expected)
    filled = FeatureRows(found, standardised=True, missing="mean")(EVERYONE)
    torch.testing.assert_close(filled, rows(EVERYONE), atol=1e-6, rtol=0)
    nobody = replace(found, present=torch.zeros_like(found.present))
    assert not FeatureRows(nobody, standardised=True)(EVERYONE).any()


def test_frozen_rows_are_no_parameters_and_not_copied():
    complete = replace(TEXT, present=torch.ones_like(TEXT.present))
    rows = FeatureRows(complete)
    assert not list(rows.parameters())
    assert not rows.state_dict()
    assert rows.values.data_ptr() == TEXT.values.data_ptr()


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("asked", [EVERYONE, torch.tensor([7, 0, 3, 3])], ids=["all", "some"])
def test_where_many_rows_are_missing_only_the_others_are_kept_and_projected(parts, asked):
    present = EVERYONE % 3 == 1
    shape = (ENTITIES, 6)
    if parts > 1:
        present, shape = torch.stack([present, EVERYONE % 6 == 1], dim=1), (ENTITIES, parts, 6)
    values = torch.rand(shape) * present[..., None]
    found = replace(TEXT, values=values, present=present)
    projector, layers = ModalProjector(found, 3), []
    projector.layers.register_forward_hook(lambda _, given, out: layers.append(len(given[0])))
    kept = int(present.sum())
    assert projector.rows.book.shape == (kept, 6)
    assert not projector.rows.state_dict()
    projected, there = projector(asked), present[asked]
    assert layers == [min(kept, asked.numel() * parts)]
    assert torch.equal(projector.rows(asked)[there], values[asked][there])
    torch.testing.assert_close(projected[there], projector.layers(values[asked][there]))
    found = torch.autograd.grad(projected[there].square().sum(), list(projector.parameters()))
    again = projector.layers(values[asked][there]).square().sum()
    torch.testing.assert_close(found, torch.autograd.grad(again, list(projector.parameters())))
    nobody = ModalProjector(replace(TEXT, present=torch.zeros_like(TEXT.present)), 3)
    assert nobody(asked).shape == (len(asked), 3)
    assert projector(asked[:0]).shape == projected[:0].shape


def test_tuned_rows_are_a_table_whose_gradient_comes_by_row():
    model = build("AdaMF")
    one = strategy("AdaMF")
    tables = tables_by_row(one, list(one.parameters()), "adam", torch.device("cpu"), 0.0)
    assert len(tables) == 3  # structure, image, text
    rows = FeatureRows(TEXT, tuned=True)
    assert list(rows.state_dict()) == ["tuned.weight"]
    assert {"projectors.image.rows.tuned.weight"} <= set(model.state_dict())


def test_a_projector_has_a_bias_where_it_is_asked_for():
    assert [name for name, _ in ModalProjector(TEXT, 3, hidden=False).named_parameters()] == [
        "layers.weight"
    ]
    projector = ModalProjector(TEXT, 3, hidden=False, bias=True)
    expected = TEXT.values @ projector.layers.weight.T + projector.layers.bias
    here = TEXT.present
    torch.testing.assert_close(projector(EVERYONE)[here], expected[here])


def test_projectors_say_whose_rows_are_there_after_the_policy():
    some = {"text": TEXT}
    assert not Projectors(some, 3).complete
    filled = Projectors(some, 3, missing="mean")
    assert filled.complete
    assert filled.views(EVERYONE)["text is there"].all()
