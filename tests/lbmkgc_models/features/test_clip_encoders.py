"""CLIP and ViT through both libraries, on models with random weights."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import normalize

from benchmarks.common import random_models
from lbmkgc_models.features.encoders.registry import image_encoder, text_encoder
from openke.runtime.files import sha256_of
from tests.lbmkgc_models.features.small import picture

pytestmark = pytest.mark.slow

TEXTS = ["a dog", "", "word " * 50, "日本", "\x00"]
PICTURES = [picture(0), picture(1, (64, 20)), picture(2, (7, 7)), picture(3, (1, 1))]


@pytest.fixture(params=["clip", "open_clip", "vit"])
def image_spec(request: pytest.FixtureRequest) -> str:
    return f"{request.param}:{request.getfixturevalue(request.param)}"


@pytest.fixture(params=["clip", "open_clip"])
def text_spec(request: pytest.FixtureRequest) -> str:
    return f"{request.param}:{request.getfixturevalue(request.param)}"


def _check(encoder: Any, items: list[Any], dim: int) -> None:
    together = encoder.encode(items)
    assert together.shape == (len(items), dim)
    assert encoder.dim == dim
    assert together.dtype == torch.float32
    assert not together.requires_grad
    torch.testing.assert_close(together.norm(dim=1), torch.ones(len(items)))
    alone = torch.cat([encoder.encode([item]) for item in items])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert len({tuple(row.tolist()) for row in together[:3]}) == 3
    assert encoder.encode([]).shape == (0, dim)
    assert encoder.lengths([]) == []


def test_pictures(image_spec: str) -> None:
    encoder = image_encoder(image_spec)
    _check(encoder, PICTURES, 16 if image_spec.startswith("vit") else 8)
    assert encoder.lengths(PICTURES) == [1] * 4
    assert encoder.limit is None
    assert encoder.name == image_spec


def test_texts_empty_long_and_odd(text_spec: str) -> None:
    encoder = text_encoder(text_spec)
    _check(encoder, TEXTS, 8)
    assert encoder.limit == encoder.settings["max_length"] == 12
    lengths = encoder.lengths(TEXTS)
    assert lengths[:2] == [4, 2]  # with the marks of start and end
    assert [length > 12 for length in lengths] == [False, False, True, False, False]
    same = encoder.encode(["word " * 10, "word " * 50])
    torch.testing.assert_close(same[0], same[1])


def test_raw_vectors_keep_their_length(image_spec: str, text_spec: str) -> None:
    for make, spec, items in (
        (image_encoder, image_spec, PICTURES[:2]),
        (text_encoder, text_spec, TEXTS[:2]),
    ):
        raw, unit = make(spec, normalised=False), make(spec)
        assert (raw.settings["normalised"], unit.settings["normalised"]) == (False, True)
        vectors = raw.encode(items)
        assert not torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-3)
        torch.testing.assert_close(normalize(vectors, dim=1), unit.encode(items))


def test_clip_is_what_the_whole_model_of_transformers_says(clip: Path) -> None:
    from transformers import CLIPModel, CLIPProcessor

    model, processor = CLIPModel.from_pretrained(clip), CLIPProcessor.from_pretrained(clip)
    texts = ["a dog", "two dogs in the park"]
    inputs = processor(text=texts, images=PICTURES[:2], return_tensors="pt", padding=True)
    with torch.no_grad():
        output = model(**inputs)
    torch.testing.assert_close(
        image_encoder(f"clip:{clip}").encode(PICTURES[:2]), output.image_embeds
    )
    torch.testing.assert_close(text_encoder(f"clip:{clip}").encode(texts), output.text_embeds)


def test_open_clip_is_what_its_whole_model_says(open_clip: Path) -> None:
    import open_clip as library

    model, preprocess = library.create_model_from_pretrained(f"local-dir:{open_clip}")
    model.eval()
    tokens = library.SimpleTokenizer(context_length=12)(["a dog", "cats"])
    pixels = torch.stack([preprocess(item) for item in PICTURES[:2]])
    with torch.no_grad():
        image, text, _ = model(pixels, tokens)
    spec = f"open_clip:{open_clip}"
    torch.testing.assert_close(image_encoder(spec).encode(PICTURES[:2]), image)
    torch.testing.assert_close(text_encoder(spec).encode(["a dog", "cats"]), text)


def test_the_revision_is_the_checksum_of_the_weights(
    clip: Path, open_clip: Path, vit: Path
) -> None:
    for spec, file in (
        (f"clip:{clip}", clip / "model.safetensors"),
        (f"vit:{vit}", vit / "model.safetensors"),
        (f"open_clip:{open_clip}", open_clip / "open_clip_model.safetensors"),
    ):
        assert image_encoder(spec).revision == f"sha256:{sha256_of(file)}"
    for spec in (f"clip:{clip}", f"open_clip:{open_clip}"):
        assert text_encoder(spec).revision == image_encoder(spec).revision


def test_fewer_tokens_of_clip(clip: Path) -> None:
    encoder = text_encoder(f"clip:{clip}", max_length=5)
    assert (encoder.limit, encoder.settings["max_length"]) == (5, 5)
    same = encoder.encode(["word " * 3, "word " * 50])
    torch.testing.assert_close(same[0], same[1])
    for length in (2, 13):
        with pytest.raises(ValueError, match=f"max_length is {length}, expected 3 to 12"):
            text_encoder(f"clip:{clip}", max_length=length)


def test_a_huge_word_does_not_take_long_and_counts_as_cut(open_clip: Path) -> None:
    encoder = text_encoder(f"open_clip:{open_clip}")
    huge = "x" * 5_000_000
    assert encoder.lengths([huge])[0] > 12
    few_tokens = "blackandwhitephotography " * 7 + "-" * 17
    assert encoder.lengths([few_tokens[:-1], few_tokens + "-" * 50]) == [12, 13]
    assert encoder.lengths([" " * 1000]) == [2]
    assert torch.isfinite(encoder.encode([huge])).all()


def test_the_two_poolings_of_a_vit(vit: Path, tmp_path: Path) -> None:
    from transformers import ViTModel

    model = ViTModel.from_pretrained(vit).eval()
    cls = image_encoder(f"vit:{vit}", normalised=False)
    pooled = image_encoder(f"vit:{vit}", pooling="pooled", normalised=False)
    assert (cls.settings["pooling"], pooled.settings["pooling"]) == ("cls", "pooled")
    first = cls.encode(PICTURES[:1])
    with torch.no_grad():
        torch.testing.assert_close(
            pooled.encode(PICTURES[:1]), torch.tanh(model.pooler.dense(first))
        )
    without = random_models.vit_folder(tmp_path / "vit", random_models.TINY, pooler=False)
    assert image_encoder(f"vit:{without}").encode(PICTURES[:1]).shape == (1, 16)
    with pytest.raises(ValueError, match="its weights have no pooler; take the pooling cls"):
        image_encoder(f"vit:{without}", pooling="pooled")
    with pytest.raises(ValueError, match="pooling is 'mean', expected one of cls, pooled"):
        image_encoder(f"vit:{vit}", pooling="mean")


def test_weights_of_another_kind_of_model(clip: Path, vit: Path, tmp_path: Path) -> None:
    for make in (image_encoder, text_encoder):
        shutil.copytree(clip, tmp_path / make.__name__)
        shutil.copy(vit / "config.json", tmp_path / make.__name__)
        with pytest.raises(ValueError, match="is of a vit model, expected clip"):
            make(f"clip:{tmp_path / make.__name__}")
    with pytest.raises(ValueError, match="is of a clip model, expected a vision transformer"):
        image_encoder(f"vit:{clip}")


@pytest.mark.parametrize("kind", ["clip", "vit"])
def test_weights_that_lack_parameters(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = tmp_path / kind
    shutil.copytree(request.getfixturevalue(kind), folder)
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "patch_embedding" in name)
    del weights[name]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"its weights lack 1 parameters, the first .*patch_embed"):
        image_encoder(f"{kind}:{folder}")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("make", [image_encoder, text_encoder])
@pytest.mark.parametrize(
    ("spec", "way"),
    [
        ("clip:some/model", "some/model: .*Two ways to get one: clip:FOLDER"),
        ("clip:./nowhere", "there is no such folder, and it is no Hub id. Two ways"),
        ("open_clip:hf-hub:some/model", "config.*some/model.*Four ways to get one: open_clip:FOLD"),
        ("open_clip:ViT-B-32/laion2b_s34b_b79k", "laion2b_s34b_b79k.*Four ways"),
        ("open_clip:ViT-B-32", "weights of ViT-B-32 are '', expected one of openai, .* or a file"),
        ("open_clip:ViT-B-32/gone.pt", "are 'gone.pt', expected one of openai"),
        ("open_clip:nowhere", "no such folder, and 'nowhere' is no model of open_clip. Four ways"),
        ("open_clip:./nowhere", "no such folder, and '.' is no model of open_clip"),
    ],
)
def test_what_cannot_be_had_offline(make: Callable[[str], object], spec: str, way: str) -> None:
    kind = "image" if make is image_encoder else "text"
    with pytest.raises(OSError, match=rf"^{kind} encoder '{spec}' cannot be loaded: .*{way}"):
        make(spec)


@pytest.mark.usefixtures("offline")
def test_a_vit_that_cannot_be_had_offline(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"'vit:some/model' cannot be loaded: .*Two ways.*vit:FOLDER"):
        image_encoder("vit:some/model")
    with pytest.raises(OSError, match=r"the folder .* has no model.safetensors. Two ways"):
        image_encoder(f"vit:{tmp_path}")


@pytest.fixture
def tiny_clip(open_clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a model that open_clip knows, with weights by the tag "mine"."""
    import open_clip as library

    config = tmp_path / "tiny-clip.json"
    config.write_text(json.dumps(random_models.open_clip_config(random_models.TINY)))
    monkeypatch.setattr(library.factory, "_MODEL_CONFIG_PATHS", [])
    monkeypatch.setattr(library.factory, "_MODEL_CONFIGS", {})
    library.add_model_config(config)
    tags = {"mine": {"file": str(open_clip / "open_clip_model.safetensors")}}
    monkeypatch.setitem(library.pretrained._PRETRAINED, "tiny-clip", tags)
    return "tiny-clip"


def test_a_tag_of_weights(open_clip: Path, tiny_clip: str) -> None:
    encoder, local = (
        image_encoder(f"open_clip:{tiny_clip}/mine"),
        image_encoder(f"open_clip:{open_clip}"),
    )
    torch.testing.assert_close(encoder.encode(PICTURES), local.encode(PICTURES))
    assert encoder.revision == local.revision


def test_a_weights_file_for_a_model_that_open_clip_knows(
    open_clip: Path, tiny_clip: str, tmp_path: Path
) -> None:
    weights = open_clip / "open_clip_model.safetensors"
    torch.save(load_file(weights), tmp_path / "weights.pt")
    torch.save({"weights": Trap(tmp_path / "sprung")}, tmp_path / "trap.pt")
    expected = image_encoder(f"open_clip:{open_clip}").encode(PICTURES)
    for file in (weights, tmp_path / "weights.pt"):
        encoder = image_encoder(f"open_clip:{tiny_clip}/{file}")
        torch.testing.assert_close(encoder.encode(PICTURES), expected)
        assert encoder.revision == f"sha256:{sha256_of(file)}"
    for name, message in (
        ("a.txt", "expected a file that ends with .safetensors, .bin"),
        ("a.safetensors", "Error while deserializing"),
        ("a.pt", "cannot be loaded"),
        ("trap.pt", "cannot be loaded: Weights only load failed"),
    ):
        if name != "trap.pt":
            (tmp_path / name).write_text("broken")
        with pytest.raises(OSError, match=message):
            image_encoder(f"open_clip:{tiny_clip}/{tmp_path / name}")
    assert not (tmp_path / "sprung").exists()


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


@pytest.mark.usefixtures("offline")
def test_models_of_the_hubs_cache(clip: Path, open_clip: Path, tmp_path: Path) -> None:
    from open_clip.constants import HF_SAFE_WEIGHTS_NAME

    # The layout of the Hub's cache, as a download would have left it.
    commit = "0123456789abcdef0123456789abcdef01234567"
    for name, source in (("clip", clip), ("open", open_clip)):
        cached = tmp_path / "cache" / f"models--some--{name}"
        shutil.copytree(source, cached / "snapshots" / commit)
        (cached / "refs").mkdir()
        (cached / "refs" / "main").write_text(commit)
    weights = tmp_path / "cache" / "models--some--open" / "snapshots" / commit
    (weights / "open_clip_model.safetensors").rename(weights / HF_SAFE_WEIGHTS_NAME)
    for spec, local in (
        ("clip:some/clip", f"clip:{clip}"),
        ("open_clip:hf-hub:some/open", f"open_clip:{open_clip}"),
    ):
        encoder = image_encoder(spec)
        assert (encoder.name, encoder.revision) == (spec, commit)
        torch.testing.assert_close(encoder.encode(PICTURES), image_encoder(local).encode(PICTURES))


def test_without_open_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    for make in (image_encoder, text_encoder):
        with pytest.raises(OSError, match="needs the package open_clip: pip install 'openke-l"):
            make("open_clip:ViT-B-32/openai")
