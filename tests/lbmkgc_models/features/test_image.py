"""From folders of pictures to feature stores, killed and resumed, with bad files among them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import tyro
from PIL import Image

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features import encode as blocks
from lbmkgc_models.features import image as build_images
from lbmkgc_models.features.describe import describe
from lbmkgc_models.features.encoders.registry import image_encoder
from lbmkgc_models.features.image import build_image_features
from lbmkgc_models.features.image_command import command
from lbmkgc_models.features.read_image import read_image
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.runs.choose_features import gather_features
from openke.config import Trainer
from openke.data.store import TripleStore
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.strategy import NegativeSampling
from tests.lbmkgc_models.features.small import MeanColour, write_dataset, write_picture

NAMES = ["ant", "bee", "cat", "dog", "elk"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set of five animals."""
    return write_dataset(tmp_path / "Zoo", [(name, name, "") for name in NAMES])


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Return a folder: three pictures of the ant, one of bee and cat, a broken one of the dog."""
    root = tmp_path / "pictures"
    for seed, name in enumerate(["ant/1.png", "ant/2.png", "ant/3.png", "bee/1.jpg", "cat.png"]):
        write_picture(root / name, seed)
    good = write_picture(root / "dog" / "1.png", 9).read_bytes()
    (root / "dog" / "1.png").write_bytes(good[: len(good) // 2])
    (root / "stranger").mkdir()
    return root


def _build(folder: Path, out: Path, pictures: Path, **options: Any) -> list[Path]:
    encoder = options.pop("encoder", None) or MeanColour()
    return build_image_features(folder, out, [pictures], encoder=encoder, progress=False, **options)


def _mean(path: Path) -> torch.Tensor:
    return torch.from_numpy(np.asarray(read_image(path), dtype=np.float64).mean((0, 1))).float()


def test_pictures_become_a_store_and_bad_ones_are_told(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    (pictures / "cat").mkdir()
    (pictures / "cat" / "page.jpg").write_text("<html>")
    Image.new("RGB", (201, 2)).save(pictures / "elk.png")
    (pictures / "cat" / "2.jpg").symlink_to("gone.jpg")
    (store,) = _build(folder, tmp_path / "out", pictures)
    assert store == tmp_path / "out" / "image"
    features = ModalFeatures.load(store, NAMES)
    assert features.present.tolist() == [True, True, True, False, False]
    ant = torch.stack([_mean(pictures / "ant" / f"{i}.png") for i in (1, 2, 3)]).mean(0)
    expected = torch.stack([ant, _mean(pictures / "bee" / "1.jpg"), _mean(pictures / "cat.png")])
    torch.testing.assert_close(features.values[:3], expected)
    manifest = features.manifest
    assert (manifest.dataset, manifest.encoder, manifest.modality) == (
        "Zoo",
        "mean-colour",
        "image",
    )
    notes = dict(manifest.notes)
    assert len(str(notes.pop("recipe"))) == len(str(notes.pop("pictures"))) == 64
    assert notes == {
        "as training makes them": False,  # which has no such encoder
        "pictures used": 5,
        "pictures generated": 0,
        "pictures skipped": 4,
        "pictures skipped: damaged": 1,
        "pictures skipped: no file": 1,
        "pictures skipped: not a picture": 1,
        "pictures skipped: too narrow": 1,
        "pictures not asked for": 0,
        "entities without picture": 2,
        "names of no entity": 1,
        "names of several entities": 0,
        "links that lead out": 0,
    }
    rows = [line.split("\t") for line in (store / "skipped.tsv").read_text().splitlines()]
    assert rows[0] == ["entity", "file", "reason"]
    assert [row[:2] for row in rows[1:]] == [
        ["cat", "cat/2.jpg"],
        ["cat", "cat/page.jpg"],
        ["elk", "elk.png"],
        ["dog", "dog/1.png"],
    ]
    assert rows[4][2].startswith("truncated or damaged: ")
    assert list(store.parent.iterdir()) == [store]


def test_vectors_of_length_one_have_a_mean_of_length_one(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    (store,) = _build(folder, tmp_path, pictures, encoder=MeanColour(normalised=True))
    norms = ModalFeatures.load(store, NAMES).values[:3].norm(dim=1)
    torch.testing.assert_close(norms, torch.ones(3))


def test_several_pictures_kept_apart(folder: Path, pictures: Path, tmp_path: Path) -> None:
    broken = pictures / "ant" / "1.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    write_picture(pictures / "ant" / "4.png", 40)
    stores = _build(folder, tmp_path, pictures, several="separate", max_pictures=3)
    assert [store.name for store in stores] == ["image", "image-2"]
    first, second = (ModalFeatures.load(store, NAMES) for store in stores)
    assert (first.modality, second.modality) == ("image", "image-2")
    assert first.present.tolist() == [True, True, True, False, False]
    assert second.present.tolist() == [True, False, False, False, False]
    torch.testing.assert_close(first.values[0], _mean(pictures / "ant" / "2.png"))
    torch.testing.assert_close(second.values[0], _mean(pictures / "ant" / "3.png"))
    assert first.manifest.notes["pictures not asked for"] == 1
    assert (stores[0] / "skipped.tsv").is_file()
    assert not (stores[1] / "skipped.tsv").exists()


def test_pictures_may_be_rows_of_their_entity(folder, pictures, tmp_path):
    (store,) = _build(folder, tmp_path, pictures, several="rows", max_pictures=2)
    found = ModalFeatures.load(store, NAMES)
    assert found.present.sum(dim=1).tolist() == [2, 1, 1, 0, 0]
    ants = torch.stack([_mean(pictures / "ant" / f"{i}.png") for i in (1, 2)])
    torch.testing.assert_close(found.values[0], ants)


def test_what_is_there_is_kept_and_what_is_left_over_removed(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"

    def encoded(**options: Any) -> int:
        encoder = MeanColour()
        _build(folder, out, pictures, encoder=encoder, **options)
        return encoder.pictures

    def stores() -> list[str]:
        return sorted(path.name for path in out.iterdir())

    assert encoded(several="separate") == 5
    assert stores() == ["image", "image-2", "image-3"]
    assert encoded(several="separate") == 0
    shutil.rmtree(out / "image-3")
    assert encoded(several="separate") == 5
    left = tmp_path / "left"
    shutil.copytree(out / "image-2", left)
    assert encoded() == 5
    assert stores() == ["image"]
    shutil.copytree(left, out / "image-2")  # as a run that was killed would have left it
    assert encoded() == 0
    assert stores() == ["image"]
    manifest = json.loads((left / "manifest.json").read_text())
    del manifest["notes"]["stores"]
    (left / "manifest.json").write_text(json.dumps(manifest))
    shutil.copytree(left, out / "image-2")  # somebody's own
    assert encoded() == 0
    (out / "image-2" / "manifest.json").write_text("damaged")
    assert encoded() == 0
    assert stores() == ["image", "image-2"]
    shutil.rmtree(out / "image-2")
    write_picture(pictures / "bee" / "1.jpg", 77)
    assert encoded() == 5
    (pictures / "elk.png").touch()  # one more to skip
    assert encoded() == 5
    assert encoded(max_pictures=1) == 3


def test_a_run_that_was_stopped_goes_on(
    folder: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    monkeypatch.setattr(blocks, "BATCHES_PER_BLOCK", 1)

    class Stopping(MeanColour):
        def encode(self, items: Any) -> torch.Tensor:
            if self.pictures >= 4:
                raise KeyboardInterrupt
            return super().encode(items)

    with pytest.raises(KeyboardInterrupt):
        _build(folder, tmp_path / "out", pictures, encoder=Stopping(), batch_size=2)
    resumed = MeanColour()
    (store,) = _build(folder, tmp_path / "out", pictures, encoder=resumed, batch_size=2)
    assert resumed.pictures == 1
    (unbroken,) = _build(folder, tmp_path / "unbroken", pictures, batch_size=2)
    for name in ("features.safetensors", "manifest.json", "names.txt", "skipped.tsv"):
        assert (store / name).read_bytes() == (unbroken / name).read_bytes()
    assert list(store.parent.iterdir()) == [store]


def test_generated_pictures_are_counted_and_stand_behind_real_ones(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    for name in ("ant", "dog", "elk"):
        write_picture(made / name / "generated.png", 3)
        (made / name / "generated.json").write_text("{}")
    shutil.rmtree(pictures / "dog")
    (store,) = build_image_features(
        folder, tmp_path / "out", [pictures, made], encoder=MeanColour(), progress=False
    )
    features = ModalFeatures.load(store, NAMES)
    assert features.present.all()
    notes = features.manifest.notes
    assert (notes["pictures used"], notes["pictures generated"]) == (7, 2)


def test_an_encoder_that_is_fitted(folder: Path, pictures: Path, tmp_path: Path) -> None:
    (store,) = _build(folder, tmp_path, pictures, encoder="colour-histogram", dim=3)
    features = ModalFeatures.load(store, NAMES)
    assert (features.dim, features.manifest.encoder) == (3, "colour-histogram")
    assert features.manifest.revision.startswith("sha256:")
    assert features.present.tolist() == [True, True, True, False, False]
    before = (store / "manifest.json").stat().st_mtime_ns
    assert _build(folder, tmp_path, pictures, encoder="colour-histogram", dim=3) == [store]
    assert (store / "manifest.json").stat().st_mtime_ns == before


def test_clip_rows_are_those_of_the_encoder(
    folder: Path, pictures: Path, tmp_path: Path, clip: Path
) -> None:
    (store,) = _build(folder, tmp_path, pictures, encoder=f"clip:{clip}", normalised=False)
    encoder = image_encoder(f"clip:{clip}", normalised=False)
    expected = encoder.encode([read_image(pictures / "cat.png")])[0]
    torch.testing.assert_close(ModalFeatures.load(store, NAMES).values[2], expected)


def test_huge_pictures_are_made_smaller(folder: Path, tmp_path: Path) -> None:
    sizes = []

    class Noting(MeanColour):
        def encode(self, items: Any) -> torch.Tensor:
            sizes.extend(item.size for item in items)
            return super().encode(items)

    write_picture(tmp_path / "pictures" / "ant.png", 0, (4096, 1024))
    _build(folder, tmp_path / "out", tmp_path / "pictures", encoder=Noting())
    assert sizes == [(2048, 512)]


def test_vectors_that_are_not_finite_name_the_entity(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    class Broken(MeanColour):
        def encode(self, items: Any) -> torch.Tensor:
            return super().encode(items) * torch.nan

    with pytest.raises(ValueError, match=r"image features: row 0 \(ant\) has NaN"):
        _build(folder, tmp_path / "out", pictures, encoder=Broken())


def test_vectors_of_zeros_are_missing(folder: Path, tmp_path: Path) -> None:
    for name, colour in (("ant", "black"), ("bee", "white")):
        path = tmp_path / "pictures" / f"{name}.png"
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 4), colour).save(path)
    (store,) = _build(folder, tmp_path / "out", tmp_path / "pictures")
    features = ModalFeatures.load(store, NAMES)
    assert features.present.tolist() == [False, True, False, False, False]
    assert features.manifest.notes["vectors of zeros"] == 1
    assert "1 vector of zeros left out" in describe(features, store)
    (tmp_path / "pictures" / "bee.png").unlink()
    with pytest.raises(ValueError, match="all 1 vectors that mean-colour made hold nothing but z"):
        _build(folder, tmp_path / "out", tmp_path / "pictures")


@pytest.mark.parametrize("kind", ["header", "body"])
def test_not_a_single_good_picture(folder: Path, tmp_path: Path, kind: str) -> None:
    path = write_picture(tmp_path / "pictures" / "ant.png")
    path.write_bytes(b"x" if kind == "header" else path.read_bytes()[:-40])
    message = r"pictures: none of 1 file is a picture that can be used, the first .*ant.png: "
    with pytest.raises(ValueError, match=message):
        _build(folder, tmp_path / "out", tmp_path / "pictures")


def test_links_out_of_the_folder_are_told(folder: Path, tmp_path: Path) -> None:
    write_picture(tmp_path / "elsewhere.png")
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "ant.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(ValueError, match=r"entities; .*ant\.png is a link that leads out of the f"):
        _build(folder, tmp_path / "out", tmp_path / "pictures")
    write_picture(tmp_path / "pictures" / "bee.png")
    (store,) = _build(folder, tmp_path / "out", tmp_path / "pictures")
    said = describe(ModalFeatures.load(store, NAMES), store)
    assert "1 link out of the folder left out" in said


def test_pictures_of_nobody_here(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "Ant").mkdir(parents=True)
    message = (
        r"pictures: no picture of any of the 5 entities; 'Ant' is there, named for no entity "
        r"alone; expected folders or files named for them, such as ant/1.jpg"
    )
    with pytest.raises(ValueError, match=message):
        _build(folder, tmp_path / "out", tmp_path / "pictures")
    with pytest.raises(ValueError, match="no folder given: no picture of any of the 5 entities; e"):
        build_image_features(folder, tmp_path / "out", [], encoder=MeanColour())


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("several", "first", "several is 'first', expected one of mean, typical, rows, separate"),
        ("max_pictures", 0, "max_pictures is 0, expected at least 1"),
        ("batch_size", 0, "batch_size is 0, expected at least 1"),
        ("encoder", "resnet", "unknown image encoder 'resnet'"),
    ],
)
def test_bad_options(
    folder: Path, pictures: Path, tmp_path: Path, option: str, value: object, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        _build(folder, tmp_path / "out", pictures, **{option: value})
    assert not (tmp_path / "out").exists()


def test_names_of_entities_without_entity2id(folder: Path, tmp_path: Path) -> None:
    assert read_names(folder) == tuple(NAMES)
    (folder / "entity2id.txt").write_text("5\n")
    assert read_names(folder) == tuple(NAMES)  # of labels.tsv
    (folder / "labels.tsv").unlink()
    with pytest.raises(ValueError, match=r"entity2id.txt: no entity names"):
        read_names(folder)
    with pytest.raises(FileNotFoundError, match=r"entity2id.txt: no such file, expected the names"):
        read_names(tmp_path)


def test_the_command(
    folder: Path, pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder), "--pictures", str(pictures), str(tmp_path), "--out"]
    arguments += [str(tmp_path / "out"), "--several", "separate", "--max-pictures", "2", "--raw"]
    arguments += ["--encoder", "colour-histogram", "--dim", "2", "--device", "cpu"]
    assert tyro.cli(command, args=arguments, config=(tyro.conf.FlagCreatePairsOff,)) == 0
    store = tmp_path / "out" / "image"
    first, second, skipped = capsys.readouterr().out.splitlines()
    assert first == (
        f"image: 3 of 5 entities, 2 reals, colour-histogram, 1 picture skipped ({store})"
    )
    assert second.startswith("image-2: 1 of 5 entities, 2 reals")
    assert skipped == f"what was skipped, and why: {store / 'skipped.tsv'}"
    settings = ModalFeatures.load(store, NAMES).manifest.settings
    assert settings == {"dim": 2, "normalised": False}


def test_the_command_finds_names_and_writes_to_the_cache(
    folder: Path, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OPENKE_DATA", str(folder.parent))
    shutil.rmtree(pictures / "dog")
    assert command("Zoo", pictures=(pictures,), encoder="colour-histogram", device="cpu") == 0
    store = tmp_path / "cache" / "features" / "Zoo" / "image"
    assert ModalFeatures.load(store, NAMES).present.sum() == 3
    assert not (store / build_images.SKIPPED).exists()


def test_lbmkgc_trains_with_pictures_kept_apart(
    folder: Path, pictures: Path, tmp_path: Path
) -> None:
    _build(folder, tmp_path / "out", pictures, several="separate", max_pictures=2)
    store = TripleStore.open(folder)
    found = gather_features(store, features=tmp_path / "out", modalities="image,image-2")
    assert list(found.features) == ["image", "image-2"]
    assert "image-2: 1 of 5 entities, 3 reals, mean-colour" in found.summary
    model = LBMKGC(store.entity_count, store.relation_count, found.features, dim=4)
    loader = TrainDataLoader(store, batch_size=1, neg_ent=2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    strategy = NegativeSampling(model, SigmoidLoss())
    Trainer(strategy, loader, train_times=2, alpha=0.1, use_gpu=False).run()
    changed = {name for name, p in model.named_parameters() if not torch.equal(before[name], p)}
    assert any("image-2" in name for name in changed)
