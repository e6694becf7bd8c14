"""A small shop with pictures, trained once, and what serves it."""

import pytest
from PIL import Image

import openke
from tests.lbmkgc_models.runs.shop import SETTINGS, facts, texts

pytest.importorskip("fastapi", reason="needs the extra serve")

COLOURS = ("red", "blue", "green", "black")


@pytest.fixture(scope="package")
def run(tmp_path_factory):
    """Return a run whose text the model reads, and whose pictures are for people."""
    folder = tmp_path_factory.mktemp("photos")
    for i in range(4):
        Image.new("RGB", (600, 300), COLOURS[i]).save(folder / f"p{i}.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENKE_CACHE", str(tmp_path_factory.mktemp("cache")))
        settings = {**SETTINGS, "features.modalities": "text"}
        out = tmp_path_factory.mktemp("runs") / "shop"
        yield openke.fit(
            facts(), texts=texts(), pictures=folder, settings=settings, device="cpu", out=out
        )


@pytest.fixture
def served(run):
    """Return what serves the run."""
    from lbmkgc_models.serving.served import Served

    return Served(run)


@pytest.fixture
def client(served):
    """Return who asks the server."""
    from fastapi.testclient import TestClient

    from lbmkgc_models.serving.api import make_app

    return TestClient(make_app(served))
