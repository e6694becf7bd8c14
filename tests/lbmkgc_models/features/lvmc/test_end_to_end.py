"""From entities to a trained model: pictures drawn, encoded, aligned, stored, learnt from."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lbmkgc_models.feature_store.audit import audit_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from lbmkgc_models.model.lbmkgc import LBMKGC
from lbmkgc_models.runs.choose_features import gather_features
from openke.config import Tester, Trainer
from openke.data import TestDataLoader, TrainDataLoader
from openke.data.store import TripleStore
from openke.datasets.pictures import folder_name, is_generated
from openke.module.loss import SigmoidLoss
from openke.module.strategy import NegativeSampling
from tests.lbmkgc_models.features.small import picture, write_picture
from tests.openke.data.test_train_data_loader import write_openke

EXAMPLES = Path(__file__).parents[4] / "examples"
ENTITIES = 24
REAL = 16
"""Entities with pictures of their own; the last four of them have bad ones."""


def example():
    """Return the module of the script, as a user runs it."""
    spec = importlib.util.spec_from_file_location("build_features", EXAMPLES / "build_features.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_features"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def dataset(tmp_path):
    random = np.random.default_rng(0)
    triples = np.unique(random.integers([24, 2, 24], size=(120, 3)), axis=0)
    names = [f"<http://x/thing {i}>" for i in range(ENTITIES)]
    store = TripleStore.from_triples(
        triples[:80], valid=triples[80:90], test=triples[90:], entities=names, relations=["a", "b"]
    )
    folder = tmp_path / "Things"
    folder.mkdir()
    write_openke(store, folder)
    lines = [f"{i}\t{name}\tthing {i}\tmade of {'wood' * (i % 2)}" for i, name in enumerate(names)]
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "pictures"
    places = [root / folder_name(f"<http://x/thing {i}>") for i in range(REAL)]
    for i, place in enumerate(places):
        write_picture(place / "1.png", i)
    whole = (places[12] / "1.png").read_bytes()
    (places[12] / "1.png").write_bytes(whole[: len(whole) // 2])
    (places[13] / "1.png").write_text("<html>404</html>")
    picture(14).convert("CMYK").save(places[14] / "1.jpg")
    (places[14] / "1.png").unlink()
    Image.new("RGB", (30_000, 200)).save(places[15] / "1.png")
    return root


@pytest.mark.slow
def test_the_whole_way(tiny_sdxl, clip, dataset, pictures, tmp_path, capsys):
    script = example()
    base, refiner = tiny_sdxl
    settings = script.Settings(
        dataset=str(dataset),
        pictures=(pictures,),
        generated=tmp_path / "generated",
        out=tmp_path / "features",
        sdxl=DrawingSettings(base=str(base), refiner=str(refiner), size=32, steps=4, base_end=0.5),
        image_encoder=f"clip:{clip}",
        text_encoder=f"clip:{clip}",
        align="heads",
        device="cpu",
    )
    script.main(settings)
    told = capsys.readouterr().out
    assert "text → image" in told
    assert "--set features.folder=" in told

    drawn = sorted((tmp_path / "generated").glob("*/generated.png"))
    assert len(drawn) == ENTITIES - REAL  # entities with a picture, good or bad, get none
    assert all(map(is_generated, drawn))
    store = TripleStore.open(dataset)
    raw = tmp_path / "features" / "raw"
    image = ModalFeatures.load(raw / "image", store.entity_names)
    # Truncated, no picture, and far too wide; the CMYK one is read.
    missing = [i for i, there in enumerate(image.present.tolist()) if not there]
    assert missing == [12, 13, 15]
    notes = image.manifest.notes
    assert notes["pictures generated"] == ENTITIES - REAL
    assert notes["pictures skipped"] == len(missing)
    assert (raw / "image" / "skipped.tsv").read_text().count("\n") == 1 + len(missing)
    told = " ".join(finding.message for finding in audit_features(store, raw))
    assert "3 of 24 entities" in told
    page = (tmp_path / "features" / "report" / "report.html").read_text()
    assert "thing 20" in page or "thing 16" in page

    found = gather_features(store, dataset, features=tmp_path / "features" / "aligned")
    assert set(found.features) == {"image", "text"}
    loader = TrainDataLoader(store, batch_size=32, neg_ent=4)
    model = LBMKGC(store.entity_count, store.relation_count, found.features, dim=8)
    strategy = NegativeSampling(model=model, loss=SigmoidLoss(adv_temperature=1.0))
    trainer = Trainer(strategy, loader, 1, 1e-3, opt_method="adam", device="cpu", progress=False)
    (epoch,) = trainer.run().records
    assert np.isfinite(epoch["loss"])
    tester = Tester(model, TestDataLoader(store, type_constrain=False), progress=False)
    assert 0 < tester.rank("test").metrics()["mrr"] <= 1

    written = {path: path.stat().st_mtime_ns for path in drawn}
    script.main(settings)  # again: nothing is drawn or encoded twice
    assert {path: path.stat().st_mtime_ns for path in drawn} == written


def test_pictures_must_come_from_somewhere(tmp_path):
    with pytest.raises(ValueError, match="no pictures: give folders"):
        example().Settings(steps=("image",), generated=tmp_path / "none")
