"""From two feature stores to aligned ones, by the function and by the command."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.cmoa.align import ALIGNED, RIDGE, UNTRAINED, align, keep
from lbmkgc_models.features.cmoa.alignment_files import HEADS, read_heads
from lbmkgc_models.features.cmoa.command import command, load_both
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.optional_packages import extra
from openke.runtime.files import sha256_of
from tests.lbmkgc_models.features.cmoa.pairs import NAMES, features
from tests.lbmkgc_models.features.small import write_dataset

QUICK = AlignmentSettings(dim=8, noise=0.3, epochs=20, patience=5, held_out=0.3)
WITHOUT = {"image": ("e1", "e5"), "text": ("e2",)}


def _save(folder: Path, **about: object) -> Path:
    for modality, each in features(WITHOUT, **about).items():
        each.save(folder / modality)
    return folder


def test_heads_beat_no_training_on_held_out_entities() -> None:
    both = features(WITHOUT)
    found = align(both["image"], both["text"], QUICK)
    assert list(found.figures) == [
        "chance", "untrained heads", "ridge regression", "canonical correlations", "CMoA",
    ]  # fmt: skip
    assert found.after is found.figures[ALIGNED]
    assert found.before is found.figures[UNTRAINED]
    for after, before in (
        (found.after.image_to_text, found.before.image_to_text),
        (found.after.text_to_image, found.before.text_to_image),
    ):
        assert after.recall_1 > before.recall_1 + 0.3
        assert after.candidates == int(found.held_out.sum())
    assert found.figures[RIDGE].image_to_text.recall_10 > 0.5
    # Those with both, each on one side; rows for all that have the modality, and for no other.
    together = found.training | found.held_out
    assert not (found.training & found.held_out).any()
    assert [NAMES[i] for i in (~together).nonzero().flatten().tolist()] == ["e1", "e2", "e5"]
    for rows, source in ((found.image, both["image"]), (found.text, both["text"])):
        lengths = rows.norm(dim=1)
        assert torch.allclose(lengths, source.present.float(), atol=1e-5)


def test_held_out_entities_train_nothing_unless_refit() -> None:
    both = features()
    first = align(both["image"], both["text"], QUICK)
    changed = {
        modality: replace(each, values=torch.where(first.held_out[:, None], 9.0, each.values))
        for modality, each in both.items()
    }
    for refit in (False, True):
        settings = replace(QUICK, refit=refit)
        heads = [align(of["image"], of["text"], settings).heads for of in (both, changed)]
        weights = [each.state_dict()["heads.text.weight"] for each in heads if each is not None]
        assert torch.equal(*weights) != refit
    assert align(both["image"], both["text"], replace(QUICK, refit=True)).figures == first.figures


def test_a_shared_space_is_kept() -> None:
    both = features(WITHOUT)
    text = replace(both["text"], values=both["image"].values + 1, present=both["image"].present)
    found = keep(both["image"], text, QUICK)
    expected = torch.nn.functional.normalize(both["image"].values, dim=1)
    assert torch.equal(found.image, expected)
    assert found.heads is None
    assert found.before is found.after
    assert found.after.image_to_text.recall_10 > 0.5
    assert "as they are" in align(both["image"], text, QUICK).figures
    with pytest.raises(ValueError, match="have 24 reals and text features 16: they share no space"):
        keep(both["image"], both["text"], QUICK)


def test_the_command_writes_stores_that_say_where_they_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = _save(tmp_path / "in", notes={"texts cut": 3, "recipe": "r"}), tmp_path / "out"
    assert command(source, out=out, settings=QUICK) == 0
    printed = capsys.readouterr().out
    assert "CMoA" in printed
    assert "image → text" in printed
    assert "held-out entities; heads trained on" in printed
    loaded = ModalFeatures.load(out / "text", NAMES)
    manifest = loaded.manifest
    assert (loaded.dim, manifest.encoder) == (8, "CMoA of text encoder")
    assert manifest.revision == f"sha256:{sha256_of(out / HEADS)}"
    assert (manifest.settings["dim"], manifest.settings["mode"]) == (8, "heads")
    notes = manifest.notes
    for modality in ("image", "text"):
        digest = Manifest.read(source / modality / "manifest.json").sha256["features.safetensors"]
        assert notes[f"aligned from {modality} sha256"] == digest
    assert notes["texts cut"] == 3
    assert "recipe" not in notes
    assert notes["final heads saw the held-out entities"] is False
    assert notes["CMoA, image to text, R@1"] > notes["untrained heads, image to text, R@1"]
    # The heads alone make the same rows of the same features.
    heads, both = read_heads(out / HEADS), load_both(source)
    with torch.no_grad():
        rows = heads(both["text"].values, "text")
    ours = ModalFeatures.load(out / "text", both["text"].names)
    assert torch.allclose(rows[ours.present], ours.values[ours.present], atol=1e-6)


def test_the_command_is_the_same_twice_and_refit_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    source = _save(tmp_path / "in")
    settings = replace(QUICK, refit=True)
    sums = []
    for out in (tmp_path / "a", tmp_path / "b"):
        command(source, out=out, settings=settings)
        sums.append([sha256_of(path) for path in sorted(out.rglob("*")) if path.is_file()])
    assert sums[0] == sums[1]
    assert len(sums[0]) == 7
    assert "others, then on all of them" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "a" / "image" / "manifest.json").read_text())
    assert manifest["notes"]["final heads saw the held-out entities"] is True
    same = _save(tmp_path / "same")
    ModalFeatures.load(same / "text", NAMES)
    ModalFeatures.from_rows("image", NAMES, torch.randn(160, 16), NAMES).save(same / "image")
    command(same, out=tmp_path / "a", mode="clip")
    assert "Rows kept, at length one" in capsys.readouterr().out
    assert not (tmp_path / "a" / HEADS).exists()
    assert Manifest.read(tmp_path / "a" / "image" / "manifest.json").settings["mode"] == "clip"
    assert Manifest.read(tmp_path / "a" / "image" / "manifest.json").encoder.endswith(
        "unknown image encoder"
    )


def test_lineage_files_are_aligned_for_their_data_set(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Set", [(name, name, "") for name in NAMES])
    for modality, ending in (("image", "visual"), ("text", "textual")):
        torch.save(features()[modality].values, tmp_path / f"Set-{ending}.pth")
    with pytest.raises(ValueError, match="name that data set with --dataset"):
        load_both(tmp_path)
    command(tmp_path, out=tmp_path / "out", dataset=str(folder), settings=QUICK)
    assert ModalFeatures.load(tmp_path / "out" / "image", NAMES).present.all()


def test_bad_requests_are_refused(tmp_path: Path) -> None:
    source = _save(tmp_path / "in")
    with pytest.raises(ValueError, match="holds the features to align; choose another folder"):
        command(source, out=source)
    with pytest.raises(FileNotFoundError, match="no image and no text features there"):
        command(tmp_path, out=tmp_path / "out")
    both = features()
    shorter = replace(both["text"], names=NAMES[:-1])
    with pytest.raises(ValueError, match="features are of 160 entities and text features of 159"):
        align(both["image"], shorter)
    nobody = replace(both["text"], present=torch.zeros(160, dtype=torch.bool))
    with pytest.raises(ValueError, match="0 of 0 entities with image and text features are held"):
        align(both["image"], nobody)


def test_files_that_are_no_heads_are_refused(tmp_path: Path) -> None:
    source = _save(tmp_path / "in")
    for path in (source / "text" / "features.safetensors", source / "text" / "names.txt"):
        with pytest.raises(ValueError, match=r"not the heads of an alignment .* expected heads"):
            read_heads(path)
    with pytest.raises(FileNotFoundError):
        read_heads(tmp_path / "none")


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(ImportError, match=r"sklearn.linear_model cannot .*openke-lbmkgc\[features"):
        extra("sklearn.linear_model")
