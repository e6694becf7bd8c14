"""Encoders by name."""

import re
from pathlib import Path

import pytest
import torch

from lbmkgc_models.features.encoders import sentence
from lbmkgc_models.features.encoders.colour import ColourHistogram
from lbmkgc_models.features.encoders.packaged import packaged_minilm
from lbmkgc_models.features.encoders.protocol import fitted
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
    assert {*TEXT_ENCODERS} >= {"minilm", "tfidf", "spelling", "open_clip", "clip"}
    assert {*IMAGE_ENCODERS} >= {
        *("efficientnet-lite0", "colour-histogram", "open_clip", "clip", "vit"),
    }


def test_another_text_is_a_folder_of_a_sentence_encoder(tmp_path: Path) -> None:
    folder = tmp_path / "odd:name"
    folder.symlink_to(packaged_minilm() or "")
    encoder = text_encoder(str(folder))
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.name == str(folder)


def test_unknown_names_list_the_known() -> None:
    for make, kind, registry in (
        (text_encoder, "text", TEXT_ENCODERS),
        (image_encoder, "image", IMAGE_ENCODERS),
    ):
        with pytest.raises(ValueError, match=f"unknown {kind} encoder 'bert:x', exp") as caught:
            make("bert:x")
        listed = str(caught.value).partition("expected one of ")[2].split(", ")
        assert {form.removesuffix(":SOURCE") for form in listed} >= set(registry)
        assert {"open_clip:SOURCE", "clip:SOURCE"} <= set(listed)
        assert {"a folder", "a Hub id OWNER/NAME"}.issubset(listed) == (kind == "text")


@pytest.mark.parametrize(
    ("make", "spec", "message"),
    [
        (text_encoder, "tfidf:x", "text encoder 'tfidf:x', expected tfidf"),
        (text_encoder, "clip", "text encoder 'clip', expected clip:SOURCE"),
        (image_encoder, "vit:", "image encoder 'vit:', expected vit:SOURCE"),
    ],
)
def test_a_source_is_given_where_there_is_one(make: object, spec: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make(spec)  # type: ignore[operator]


def test_options_that_an_encoder_does_not_take() -> None:
    with pytest.raises(ValueError, match="'tfidf' has no option pooling, it takes dim, normalised"):
        text_encoder("tfidf", pooling="cls")
    with pytest.raises(ValueError, match="'clip' has no option pooling, it takes device, norm"):
        image_encoder("clip:x", pooling="cls")


def test_encoders_side_by_side() -> None:
    texts = ["Paris: capital of France", "Lyon: city of France", "Berlin: capital of Germany"]
    parts = [fitted(text_encoder(name), texts) for name in ("minilm", "spelling")]
    joined = fitted(text_encoder("minilm+spelling", device="cpu"), texts)
    assert joined.name == "minilm+spelling"
    assert joined.revision == "+".join(part.revision for part in parts)
    assert joined.settings["spelling.normalised"] is True
    assert joined.settings["minilm.max_length"] == joined.limit == 128
    assert joined.lengths(texts) == parts[0].lengths(texts)
    assert joined.dim == sum(part.dim for part in parts)
    encoded = joined.encode(texts)
    torch.testing.assert_close(encoded, torch.cat([part.encode(texts) for part in parts], dim=1))
    assert joined.encode([]).shape == (0, joined.dim)


def test_encoders_side_by_side_take_no_options_of_one_of_them() -> None:
    message = "encoder 'tfidf+spelling': dim cannot be given to several encoders at once"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        text_encoder("tfidf+spelling", dim=3)
    with pytest.raises(ValueError, match="'odd' is no encoder"):
        text_encoder("tfidf+odd")


def test_a_source_may_have_a_plus_sign() -> None:
    with pytest.raises(OSError, match=r"/data/c\+\+/model"):
        text_encoder("clip:/data/c++/model")


def test_a_mistyped_name_is_refused_before_the_hub_is_asked(monkeypatch):
    def ask(*_, **__):
        raise OSError("the Hub was asked")

    monkeypatch.setattr(sentence, "load_model", ask)
    for spec, near in (("speling", "spelling"), ("MiniLM", "minilm"), ("open-clip:x", "open_clip")):
        with pytest.raises(
            ValueError, match=rf"{spec}' \(did you mean {near}\?\), expected one of"
        ):
            text_encoder(spec)
    with pytest.raises(
        ValueError, match=r"'speling' is no encoder \(did you mean spelling\?\), exp"
    ):
        text_encoder("minilm+speling")
    with pytest.raises(
        ValueError, match=r"'hashed', expected one of minilm, .* Hub id OWNER/NAME$"
    ):
        text_encoder("hashed")
    with pytest.raises(
        OSError, match=r"the Hub was asked\. It is none of the names either: minilm"
    ):
        text_encoder("owner/hashed")
