"""Encoders by name."""

import re
from pathlib import Path

import pytest

from lbmkgc_models.features.encoders.colour import ColourHistogram
from lbmkgc_models.features.encoders.packaged import packaged_minilm
from lbmkgc_models.features.encoders.registry import (
    IMAGE_ENCODERS,
    TEXT_ENCODERS,
    image_encoder,
    text_encoder,
)
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from lbmkgc_models.features.encoders.tfidf import Tfidf


def test_names_stand_for_encoders() -> None:
    assert isinstance(text_encoder("tfidf", dim=3, device="cpu"), Tfidf)
    assert isinstance(image_encoder("colour-histogram", device="cpu"), ColourHistogram)
    minilm = text_encoder("minilm", max_length=9, pooling="cls", normalised=None, dim=None)
    assert minilm.settings == {"pooling": "cls", "normalised": True, "max_length": 9}
    assert set(TEXT_ENCODERS) == {"minilm", "tfidf", "open_clip", "clip"}
    assert set(IMAGE_ENCODERS) == {
        *("efficientnet-lite0", "colour-histogram", "open_clip", "clip", "vit"),
    }


def test_another_text_is_a_folder_of_a_sentence_encoder(tmp_path: Path) -> None:
    folder = tmp_path / "odd:name"
    folder.symlink_to(packaged_minilm() or "")
    encoder = text_encoder(str(folder))
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.name == str(folder)


@pytest.mark.parametrize(
    ("make", "spec", "message"),
    [
        (
            text_encoder,
            "bert:x",
            "unknown text encoder 'bert:x', expected one of minilm, tfidf, open_clip:SOURCE, "
            "clip:SOURCE, a folder, a Hub id",
        ),
        (
            image_encoder,
            "resnet",
            "unknown image encoder 'resnet', expected one of efficientnet-lite0, "
            "colour-histogram, open_clip:SOURCE, clip:SOURCE, vit:SOURCE",
        ),
        (text_encoder, "tfidf:x", "text encoder 'tfidf:x', expected tfidf"),
        (text_encoder, "clip", "text encoder 'clip', expected clip:SOURCE"),
        (image_encoder, "vit:", "image encoder 'vit:', expected vit:SOURCE"),
    ],
)
def test_unknown_names_list_the_known(make: object, spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make(spec)  # type: ignore[operator]


def test_options_that_an_encoder_does_not_take() -> None:
    with pytest.raises(ValueError, match="'tfidf' has no option pooling, it takes dim, normalised"):
        text_encoder("tfidf", pooling="cls")
    with pytest.raises(ValueError, match="'clip' has no option pooling, it takes device, norm"):
        image_encoder("clip:x", pooling="cls")
