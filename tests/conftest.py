"""Fixtures for all tests."""

from pathlib import Path

import pytest

from openke.datasets.search import find_dataset


@pytest.fixture(scope="session")
def datasets() -> Path:
    """Return the folder of the real data sets, wherever they are; downloads them otherwise."""
    folders = {find_dataset(name).parent for name in ("DB15K", "MKG-W", "MKG-Y")}
    assert len(folders) == 1, f"DB15K, MKG-W and MKG-Y lie in different folders: {folders}"
    return folders.pop()
