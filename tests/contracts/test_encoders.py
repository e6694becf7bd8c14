"""What holds for every registered encoder, with those of other packages that are installed.

One that needs weights which are not on this machine is skipped, and says which.
"""

import inspect
import json
from functools import partial

import pytest
import torch

from benchmarks.common import random_models
from lbmkgc_models.features.encode import build_key
from lbmkgc_models.features.encoders.protocol import Unfitted, fitted
from lbmkgc_models.features.encoders.registry import (
    IMAGE_ENCODERS,
    TEXT_ENCODERS,
    image_encoder,
    text_encoder,
)
from tests.contracts.registered import loadable
from tests.lbmkgc_models.features.small import picture

TEXTS = [
    "Paris: the capital of France, a city of two million people on the Seine",
    "Lyon: a city of France",
    "Berlin: the capital of Germany",
    "Seine: a river of France that the city of Paris lies on",
    "Rhine: a river of Germany and France",
    "a",
]
PICTURES = [picture(0), picture(1, (64, 20)), picture(2, (7, 7)), picture(3), picture(4, (90, 30))]
SOURCES = {
    "clip": random_models.clip_folder,
    "open_clip": random_models.open_clip_folder,
    "vit": random_models.vit_folder,
}
"""What writes a small model for the families of this project; those of others are skipped."""
NOT_OPTIONS = ("self", "source", "device")
CASES = [
    *(("text", name) for name in loadable(TEXT_ENCODERS)),
    *(("image", name) for name in loadable(IMAGE_ENCODERS)),
]
encoders = pytest.mark.parametrize(("kind", "name"), CASES, ids=lambda value: value)


def maker(kind, name):
    return (TEXT_ENCODERS if kind == "text" else IMAGE_ENCODERS)[name]


@pytest.fixture
def make(kind, name, tmp_path):
    """Return what makes the encoder, with a small model as its source where it needs one."""
    spec = name
    if "source" in inspect.signature(maker(kind, name)).parameters:
        if name not in SOURCES:
            pytest.skip(f"{name}:SOURCE needs a source, and this test knows none")
        spec = f"{name}:{SOURCES[name](tmp_path / name, random_models.TINY)}"

    def made(**options):
        try:
            return (text_encoder if kind == "text" else image_encoder)(spec, **options)
        except (OSError, ImportError) as error:
            pytest.skip(f"{name} is not on this machine: {error}")

    return made


@pytest.fixture
def items(kind):
    return TEXTS if kind == "text" else PICTURES


@encoders
def test_an_encoder_says_what_it_computes(kind, name):
    found = maker(kind, name)
    found = found.func if isinstance(found, partial) else found
    assert len((inspect.getdoc(found) or "").splitlines()) > 3, f"{name}: a longer docstring"
    assert "References" in found.__doc__, f"{name}'s docstring has no section References"


@encoders
def test_vectors_are_float32_one_for_each_item(make, items):
    encoder = fitted(make(), items)
    found = encoder.encode(items)
    assert found.shape == (len(items), encoder.dim)
    assert (found.dtype, found.device.type) == (torch.float32, "cpu")
    assert found.isfinite().all()
    assert not found.requires_grad
    assert encoder.encode([]).shape == (0, encoder.dim)


@encoders
def test_a_vector_depends_on_its_own_item_alone(make, items):
    encoder = fitted(make(), items)
    together = encoder.encode(items)
    for at in (0, len(items) - 1):
        alone = encoder.encode(items[at : at + 1])
        torch.testing.assert_close(alone, together[at : at + 1], rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(encoder.encode(items[::-1]), together.flip(0), rtol=1e-3, atol=1e-5)
    assert not torch.equal(together[0], together[1])


@encoders
def test_an_encoder_has_one_length_for_each_item(make, items):
    encoder = fitted(make(), items)
    lengths = encoder.lengths(items)
    assert len(lengths) == len(items)
    assert all(isinstance(length, int) and length >= 0 for length in lengths)
    assert encoder.limit is None or encoder.limit >= 1


@encoders
def test_the_same_encoder_twice_is_the_same(make, items):
    first, second = (fitted(make(), items) for _ in range(2))
    assert build_key(first, [], {}) == build_key(second, [], {})
    assert torch.equal(first.encode(items), second.encode(items))


@encoders
def test_a_manifest_can_say_what_an_encoder_is(make, items):
    encoder = fitted(make(), items)
    assert encoder.name
    assert encoder.revision
    assert json.loads(json.dumps(dict(encoder.settings))) == dict(encoder.settings)


@encoders
def test_every_option_shows_in_the_settings(kind, name, make):
    found = maker(kind, name)
    fixed = found.keywords if isinstance(found, partial) else {}
    for option, parameter in inspect.signature(found).parameters.items():
        if option in NOT_OPTIONS or option in fixed or option == "letters":
            continue  # letters: two names, tfidf and spelling
        assert option in make().settings, f"settings has no {option}: stores would not be made anew"
        assert parameter.default is not parameter.empty, f"{option} has no default"


@encoders
def test_what_an_encoder_learns_is_its_revision(make, items):
    encoder = make()
    if isinstance(encoder, Unfitted):
        assert encoder.fit(items).revision != encoder.fit(items[:3]).revision
