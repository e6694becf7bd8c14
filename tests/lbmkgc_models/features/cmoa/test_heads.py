"""Heads and their loss, against the equations written out."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from lbmkgc_models.features.cmoa.heads import ContrastiveAlignment, Principal
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from tests.lbmkgc_models.features.cmoa.pairs import rows


def _heads(**settings: float) -> ContrastiveAlignment:
    torch.manual_seed(0)
    heads = ContrastiveAlignment(24, 16, AlignmentSettings(dim=8, **settings))  # type: ignore[arg-type]
    heads.fit_inputs(rows()["image"], rows()["text"])
    return heads


def test_the_loss_is_equation_8() -> None:
    heads, pairs = _heads(temperature=0.2), {name: each[:5] for name, each in rows().items()}
    image, text = (heads(pairs[name], name) for name in ("image", "text"))
    similarity = [[(v @ t / (v.norm() * t.norm())).item() for t in text] for v in image]
    total = 0.0
    for i in range(5):
        to_text = sum(math.exp(similarity[i][j] / 0.2) for j in range(5))
        to_image = sum(math.exp(similarity[j][i] / 0.2) for j in range(5))
        total += math.log(math.exp(similarity[i][i] / 0.2) / to_text) / 5
        total += math.log(math.exp(similarity[i][i] / 0.2) / to_image) / 5
    inputs = [heads.inputs[name](pairs[name]) for name in ("image", "text")]
    assert heads.loss(*inputs).item() == pytest.approx(-total / 2, rel=1e-5)
    disturbed = heads.loss(*inputs, torch.Generator().manual_seed(0)).item()
    assert disturbed != pytest.approx(-total / 2, rel=1e-3)


def test_every_parameter_learns_and_the_temperature_is_clamped() -> None:
    for hidden in (0, 12):
        heads = _heads(hidden=hidden)
        inputs = [heads.inputs[name](each) for name, each in rows().items()]
        heads.loss(*inputs, torch.Generator().manual_seed(0)).backward()
        for name, parameter in heads.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name
        assert heads.temperature == pytest.approx(0.1)
    with torch.no_grad():
        heads.log_scale.fill_(20.0)
    assert heads.temperature == pytest.approx(0.01)


def test_aligned_rows_have_length_one() -> None:
    aligned = _heads()(rows()["text"], "text")
    assert aligned.shape == (160, 8)
    assert torch.allclose(aligned.norm(dim=1), torch.ones(160), atol=1e-5)


def test_principal_components_keep_the_distances() -> None:
    values = 50 + rows()["image"]
    principal = Principal(24, 24)
    principal.fit(values)
    found = principal(values)
    assert torch.allclose(found.mean(dim=0), torch.zeros(24), atol=1e-4)
    assert found.square().sum(dim=1).mean().item() == pytest.approx(1.0, abs=1e-4)
    ratio = torch.cdist(found, found) / torch.cdist(values, values).clamp_min(1e-9)
    assert ratio[~torch.eye(160, dtype=torch.bool)].std() < 1e-3
    assert found.var(dim=0).diff().max() <= 1e-6  # the largest first


def test_fewer_rows_or_directions_than_components_leave_zeros() -> None:
    principal = Principal(24, 10)
    flat = torch.randn(30, 2, generator=torch.Generator().manual_seed(0)) @ torch.ones(2, 24)
    principal.fit(flat)
    assert principal(flat)[:, 1:].abs().max() == 0
    principal.fit(torch.ones(3, 24))
    assert torch.isfinite(principal(torch.ones(3, 24))).all()
    principal.fit(rows(4)["image"])
    assert (principal.basis.abs().sum(dim=0) > 0).tolist() == [True] * 3 + [False] * 7


def test_first_heads_keep_what_is_near() -> None:
    torch.manual_seed(0)
    heads = ContrastiveAlignment(24, 16, AlignmentSettings(dim=32))
    heads.fit_inputs(rows()["image"], rows()["text"])
    inputs = heads.inputs["image"](rows()["image"])
    expected = normalize(inputs, dim=1) @ normalize(inputs, dim=1).T
    aligned = heads(rows()["image"], "image")
    assert torch.allclose(aligned @ aligned.T, expected, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("dim", 0, ", 1 or more"),
        ("components", 0, ", 1 or more"),
        ("batch_size", 1, ", 2 or more: a pair needs another"),
        ("noise", -1.0, ", 0 or more"),
        ("temperature", 0.0, " above 0"),
        ("learning_rate", 5000.0, " above 0, at most 1000"),
        ("dropout", 1.0, " from 0 to below 1"),
        ("held_out", 1.0, " between 0 and 1"),
        ("validation", 0.0, " between 0 and 1"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float, expected: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; expected a.* number{expected}"):
        AlignmentSettings(**{name: value})  # type: ignore[arg-type]
