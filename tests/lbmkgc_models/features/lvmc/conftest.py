"""The tiny SDXL, read once."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lbmkgc_models.features.lvmc import pipeline
from lbmkgc_models.features.lvmc.models import load_pipeline
from lbmkgc_models.features.lvmc.pipeline import Sdxl
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from tests.lbmkgc_models.features.tiny_sdxl import write_tiny_sdxl


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the folders of a tiny base and refiner."""
    pytest.importorskip("diffusers")  # it has no release for Python 3.10
    return write_tiny_sdxl(tmp_path_factory.mktemp("sdxl"))


@pytest.fixture(scope="session")
def drawing(tiny_sdxl: tuple[Path, Path]) -> DrawingSettings:
    base, refiner = tiny_sdxl
    return DrawingSettings(base=str(base), refiner=str(refiner), size=32, steps=5, base_end=0.6)


@pytest.fixture(scope="session")
def sdxl(drawing: DrawingSettings) -> Sdxl:
    return Sdxl(drawing)


@pytest.fixture(scope="session")
def load_once() -> Callable[..., Any]:
    return cache(load_pipeline)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, load_once: Callable[..., Any]) -> None:
    """Share what was read, for tests that only draw with it."""
    monkeypatch.setattr(pipeline, "load_pipeline", load_once)
