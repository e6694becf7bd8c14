"""Building text features, on the real packaged MiniLM, killed and resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import read_texts
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.encoders.sentence import SentenceEncoder
from lbmkgc_models.features.encoders.tfidf import Tfidf
from lbmkgc_models.features.text import build_text_features
from lbmkgc_models.features.text_command import command, main
from openke.runtime.device import choose_device
from tests.lbmkgc_models.features.small import (
    LABELS,
    CountingEncoder,
    numbered,
    write_dataset,
)

NAMES = [name for name, _, _ in LABELS]


def _load(store: Path, names: list[str] = NAMES) -> ModalFeatures:
    return ModalFeatures.load(store, names)


def test_texts_become_a_store(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Pets", [*LABELS, ("<http://x/None>", "", "")])
    store = build_text_features(folder, tmp_path / "out", max_length=8, progress=False)
    assert store == tmp_path / "out" / "text"
    features = _load(store, [*NAMES, "<http://x/None>"])
    assert features.present.tolist() == [True, True, True, True, False]
    encoder = SentenceEncoder("minilm", max_length=8)
    expected = encoder.encode(read_texts(folder).texts[:4])
    assert torch.allclose(features.values[:4], expected, atol=1e-5)
    manifest = features.manifest
    assert (manifest.dataset, manifest.encoder, manifest.modality) == ("Pets", "minilm", "text")
    assert (manifest.revision, manifest.settings) == (encoder.revision, encoder.settings)
    assert manifest.notes["entities without text"] == 1
    assert manifest.notes["texts"] == read_texts(folder).checksum()
    assert manifest.notes["texts cut"] == sum(n > 8 for n in encoder.lengths(LABELS_TEXTS))
    assert list(store.parent.iterdir()) == [store]


LABELS_TEXTS = [f"{label}: {text}" if text else label for _, label, text in LABELS]

SLOWLY = """
import sys, time
from lbmkgc_models.features.text import build_text_features
from lbmkgc_models.features.encoders.sentence import SentenceEncoder

class Slow(SentenceEncoder):
    def encode(self, items):
        time.sleep(0.1)
        return super().encode(items)

build_text_features(sys.argv[1], sys.argv[2], encoder=Slow(max_length=16), batch_size=2)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_store_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    folder = write_dataset(tmp_path / "set", numbered(60))
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", SLOWLY, folder, out])
    try:
        give_up = time.monotonic() + 120
        while not list(out.glob(".partial-*/block-*.safetensors")):
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < give_up
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (out / "text").exists()
    done = len(list(out.glob(".partial-*/block-*.safetensors")))
    assert 0 < done < 4  # of 60 texts in batches of 2, 8 batches a block

    encoded: list[str] = []

    class Noting(SentenceEncoder):
        def encode(self, items):  # type: ignore[no-untyped-def]
            encoded.extend(items)
            return super().encode(items)

    def finish(where: Path) -> Path:
        return build_text_features(
            folder, where, encoder=Noting(max_length=16), batch_size=2, progress=False
        )

    resumed = finish(out)
    assert len(encoded) == 60 - 16 * done
    unbroken = finish(tmp_path / "unbroken")
    assert len(encoded) == 120 - 16 * done
    names = sorted(path.name for path in unbroken.iterdir())
    assert names == ["features.safetensors", "manifest.json", "names.txt"]
    for name in names:
        assert (resumed / name).read_bytes() == (unbroken / name).read_bytes()
    assert list(out.iterdir()) == [resumed]


def test_a_store_of_the_same_recipe_is_kept(tmp_path: Path) -> None:
    folder, out = write_dataset(tmp_path / "set"), tmp_path / "out"

    def batches(size: int = 2) -> int:
        encoder = CountingEncoder()
        build_text_features(folder, out, encoder=encoder, batch_size=size, progress=False)
        return len(encoder.batches)

    assert batches() == 2
    assert batches() == 0
    assert batches(size=4) == 1
    with (folder / "labels.tsv").open("ab") as file:
        file.write(b"\n")
    assert batches(size=4) == 0  # the texts are the same
    write_dataset(folder, [*LABELS[:3], (NAMES[3], "isle", "")])
    assert batches(size=4) == 1
    assert _load(out / "text").values[3].tolist() == [4, ord("i")]
    (out / "text" / "names.txt").write_text("damaged")
    assert batches(size=4) == 1
    assert _load(out / "text").present.all()


def test_cut_texts_are_counted(tmp_path: Path) -> None:
    encoder = CountingEncoder()  # reads five characters
    folder = write_dataset(tmp_path / "set", [("a", "short", ""), ("b", "longer", "text")])
    store = build_text_features(folder, tmp_path, encoder=encoder, progress=False)
    features = _load(store, ["a", "b"])
    assert features.manifest.notes["texts cut"] == 1
    assert describe(features, store) == (
        f"text: 2 of 2 entities, 2 reals, counting, texts: all, 1 text cut ({store})"
    )


def test_nothing_to_encode(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "set", [("a", "", ""), ("b", " ", "")])
    with pytest.raises(ValueError, match=r"labels.tsv: no entity has a text, so nothing to encode"):
        build_text_features(folder, tmp_path, encoder=CountingEncoder())


def test_batch_size(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="batch_size is 0, expected at least 1"):
        build_text_features(tmp_path, tmp_path, batch_size=0)


def test_vectors_that_are_not_finite_are_named(tmp_path: Path) -> None:
    class Broken(CountingEncoder):
        def encode(self, items):  # type: ignore[no-untyped-def]
            return super().encode(items) / torch.tensor([1.0, 0.0])

    folder = write_dataset(tmp_path / "set")
    with pytest.raises(ValueError, match=r"text features: row 0 \(<http://x/Dog>\) has an infin"):
        build_text_features(folder, tmp_path / "out", encoder=Broken(), progress=False)
    assert not (tmp_path / "out" / "text").exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    encoder = CountingEncoder()
    message = r"features cannot be written there \(no permission to write to .*\); choose another"
    with pytest.raises(OSError, match=message):
        build_text_features(write_dataset(tmp_path / "set"), tmp_path / "out", encoder=encoder)
    assert encoder.batches == []


def test_auto_is_the_same_recipe_as_the_device_it_chooses(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "set")
    chosen = choose_device("auto").type
    for device in ("auto", chosen):
        store = build_text_features(folder, tmp_path / device, device=device, progress=False)
        (tmp_path / f"recipe-{device}").write_text(str(_load(store).manifest.notes["recipe"]))
    recipes = {path.read_text() for path in tmp_path.glob("recipe-*")}
    assert len(recipes) == 1


def test_the_command_takes_a_folder_or_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path))
    folder = write_dataset(tmp_path / "Pets")
    assert command("Pets", batch_size=2, max_length=16, device="cpu") == 0
    store = tmp_path / "cache" / "features" / "Pets" / "text"
    expected = f"text: 4 of 4 entities, 384 reals, minilm, texts: all ({store})\n"
    assert capsys.readouterr().out == expected
    assert command(str(folder), batch_size=2, max_length=16, device="cpu") == 0
    assert capsys.readouterr().out == expected
    assert command(str(folder), out=tmp_path / "out", max_length=16, device="cpu") == 0
    assert (tmp_path / "out" / "text" / "manifest.json").is_file()


def test_the_module_as_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_dataset(tmp_path / "Pets")
    arguments = ["build", str(folder), "--out", str(tmp_path / "out"), "--batch-size", "2"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--max-length", "16", "--device", "cpu"])
    assert main() == 0
    manifest = json.loads((tmp_path / "out" / "text" / "manifest.json").read_text())
    assert manifest["settings"]["max_length"] == 16
    (folder / "labels.tsv").unlink()
    capsys.readouterr()
    assert main() == 2
    assert capsys.readouterr().err.startswith(f"features: error: {folder}/labels.tsv: no such file")


@pytest.mark.parametrize(
    ("encoder", "error", "message"),
    [
        ("two words", ValueError, "unknown text encoder 'two words', expected one of minilm"),
        ("./nowhere", OSError, "Four ways to get one"),
    ],
)
def test_an_encoder_that_is_not_there(
    tmp_path: Path, encoder: str, error: type[Exception], message: str
) -> None:
    folder = write_dataset(tmp_path / "set")
    with pytest.raises(error, match=message):
        build_text_features(folder, tmp_path / "out", encoder=encoder)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["tfidf", "clip", "open_clip", "minilm"])
def test_odd_texts_with_every_encoder(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    texts = ["", "short text", "word " * 20_000, "日本 🐕", "\u200b", "two words"]
    folder = write_dataset(tmp_path / "set", [(f"e{i}", t, "") for i, t in enumerate(texts)])
    spec = kind if kind in ("tfidf", "minilm") else f"{kind}:{request.getfixturevalue(kind)}"
    store = build_text_features(folder, tmp_path / "out", encoder=spec, progress=False)
    features = _load(store, [f"e{i}" for i in range(6)])
    # Nothing but an invisible mark is a text without a word.
    assert features.present.tolist() == [False, True, True, True, kind != "tfidf", True]
    norms = features.values[features.present].norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(len(norms)))
    notes = features.manifest.notes
    assert notes["entities without text"] == 1
    assert notes["texts cut"] == (0 if kind == "tfidf" else 1)
    assert notes.get("vectors of zeros") == (1 if kind == "tfidf" else None)
    with (folder / "labels.tsv").open("ab") as file:
        file.write(b"6\te6\t\xff\n")
    with pytest.raises(ValueError, match=r"labels.tsv:7: byte 0xff is not UTF-8"):
        build_text_features(folder, tmp_path / "out", encoder=spec, progress=False)


def test_a_fitted_encoder_learns_only_when_it_must(tmp_path: Path) -> None:
    fits = []

    class Noting(Tfidf):
        def fit(self, items):  # type: ignore[no-untyped-def]
            fits.append(len(items))
            return super().fit(items)

    folder = write_dataset(tmp_path / "set")
    for dim in (2, 2, 3):
        encoder = Noting(dim=dim)
        store = build_text_features(folder, tmp_path / "out", encoder=encoder, progress=False)
        assert _load(store).dim == dim
    assert fits == [4, 4]


def test_options_of_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, out = write_dataset(tmp_path / "Pets"), tmp_path / "out"
    assert command(str(folder), out=out, pooling="cls", raw=True, device="cpu") == 0
    settings = _load(out / "text").manifest.settings
    assert settings == {"pooling": "cls", "normalised": False, "max_length": 128}
    assert command(str(folder), out=out, encoder="tfidf", dim=2, device="cpu") == 0
    assert _load(out / "text").manifest.settings == {"dim": 2, "normalised": True}
    assert "text: 4 of 4 entities, 2 reals, tfidf, texts: all (" in capsys.readouterr().out
    with pytest.raises(ValueError, match="unknown text encoder 'bert:x', expected one of minilm"):
        command(str(folder), out=out, encoder="bert:x", device="cpu")
