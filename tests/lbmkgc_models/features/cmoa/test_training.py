"""Training heads: they learn, the same twice, and stop in time."""

import math
from dataclasses import replace

import pytest
import torch

from lbmkgc_models.features.cmoa.baselines import by_heads, by_untrained_heads
from lbmkgc_models.features.cmoa.canonical import canonical_heads
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.cmoa.split import held_out
from lbmkgc_models.features.cmoa.training import fit, refit, untrained
from tests.lbmkgc_models.features.cmoa.pairs import rows

QUICK = AlignmentSettings(dim=16, noise=0.3, learning_rate=0.01, epochs=60, patience=10)


@pytest.mark.parametrize(
    "settings", [QUICK, replace(QUICK, hidden=64), replace(QUICK, batch_size=40)]
)
def test_heads_learn_what_holds_for_others_too(settings: AlignmentSettings) -> None:
    image, text = rows().values()
    training, others = (image[:120], text[:120]), (image[120:], text[120:])
    fitted = fit(*training, settings)
    after = by_heads(fitted.heads, *others).image_to_text
    before = by_untrained_heads(training, others, settings).image_to_text
    assert fitted.epochs > 0
    assert after.mrr > before.mrr + 0.3


def test_the_same_arguments_give_the_same_heads_whatever_the_global_seed() -> None:
    image, text = rows().values()
    torch.manual_seed(1)
    first = fit(image, text, QUICK)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = fit(image, text, QUICK)
    assert torch.equal(torch.get_rng_state(), state)
    other = fit(image, text, replace(QUICK, seed=1))
    for name, weights in first.heads.state_dict().items():
        assert torch.equal(weights, second.heads.state_dict()[name]), name
    assert not torch.equal(first.heads.log_scale, other.heads.log_scale)


def test_training_ends_where_nothing_is_shared() -> None:
    image, text = rows().values()
    shuffled = text[torch.randperm(160, generator=torch.Generator().manual_seed(0))]
    fitted = fit(image, shuffled, QUICK)
    # 24 entities validate: who guesses has a loss of log 24.
    assert fitted.validation_loss > math.log(24) - 0.1
    assert fit(image, text, QUICK).validation_loss < 1.0


@pytest.mark.parametrize("hidden", [0, 8])
def test_no_epochs_leave_heads_where_they_start(hidden: int) -> None:
    image, text = rows().values()
    settings = replace(QUICK, hidden=hidden)
    heads = refit(image, text, settings, 0)
    found, expected = (
        each(image, "image") for each in (heads, untrained(image, text, settings, 0))
    )
    assert torch.equal(found, expected) == (hidden > 0)


def test_linear_heads_start_from_canonical_correlations() -> None:
    image, text = rows(noise=0.0, shared=2).values()
    start = by_heads(refit(image, text, QUICK, 0), image, text)
    assert start.image_to_text.mrr > 0.9
    noise = torch.randn(160, 30, generator=torch.Generator().manual_seed(0))
    centred = [values - values.mean(dim=0) for values in (image, noise)]
    unit = [values / values.norm(dim=1).mean() for values in centred]
    of_image, of_noise = canonical_heads(*unit, 40)
    assert (of_image.shape, of_noise.shape) == ((40, 24), (40, 30))
    assert of_image[24:].abs().max() == of_noise[24:].abs().max() == 0
    for values, weights in zip(unit, (of_image, of_noise), strict=True):
        lengths = (values.float() @ weights.T).norm(dim=1)
        assert lengths.mean().item() == pytest.approx(1.0, abs=1e-4)
    variates = [
        values @ weights[:2].T for values, weights in zip(unit, (of_image, of_noise), strict=True)
    ]
    across = variates[0].T @ variates[1]
    assert across[0, 0] > across[1, 1] > across[0, 1].abs()


def test_too_few_entities_are_refused() -> None:
    image, text = rows(7).values()
    with pytest.raises(ValueError, match="7 training entities have image and text features"):
        fit(image, text, QUICK)
    small = rows(8)
    assert fit(small["image"], small["text"], replace(QUICK, validation=0.99)).epochs >= 0


def test_what_is_held_out_hangs_on_name_and_seed_alone() -> None:
    names = [f"entity {i}" for i in range(2000)]
    held = held_out(names, 0.2, 0)
    assert 330 < int(held.sum()) < 470
    assert torch.equal(held_out(names[::-1], 0.2, 0), held.flip(0))
    assert torch.equal(held_out(names[:50], 0.2, 0), held[:50])
    assert (held <= held_out(names, 0.4, 0)).all()
    both = held & held_out(names, 0.2, 1)
    assert 40 < int(both.sum()) < 130
