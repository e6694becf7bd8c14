"""Models with random weights, made once."""

from pathlib import Path

import pytest

from benchmarks.common import random_models


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_models.clip_folder(tmp_path_factory.mktemp("models") / "clip", random_models.TINY)


@pytest.fixture(scope="session")
def open_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "open_clip"
    return random_models.open_clip_folder(folder, random_models.TINY)


@pytest.fixture(scope="session")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_models.vit_folder(tmp_path_factory.mktemp("models") / "vit", random_models.TINY)
