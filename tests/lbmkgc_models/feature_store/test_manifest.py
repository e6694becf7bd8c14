"""manifest.json: written, read back, and checked."""

import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from lbmkgc_models.feature_store import manifest
from lbmkgc_models.feature_store.manifest import Manifest, library_versions, today
from openke.runtime.files import sha256_of


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    written = Manifest(
        modality="text",
        rows=3,
        dim=4,
        dtype="float16",
        dataset="Île",
        encoder="minilm",
        revision="r",
        settings={"max_length": 8, "x": None},
        notes={"cut": 1},
        sha256={"a": "b"},
    )
    written.write(path)
    assert Manifest.read(path) == written


def test_date_comes_from_the_environment_where_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert Manifest(modality="text", rows=1, dim=1).created == "1970-01-02"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert today() > "2024-01-01"


def test_versions_are_of_installed_libraries() -> None:
    import torch

    assert library_versions()["torch"] == torch.__version__.partition("+")[0]


def test_a_library_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(library: str) -> str:
        if library == "transformers":
            raise PackageNotFoundError(library)
        return "1"

    monkeypatch.setattr(manifest, "version", version)
    installed = [library for library in manifest.LIBRARIES if library != "transformers"]
    assert library_versions() == dict.fromkeys(installed, "1")


def test_checksum(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(tmp_path / "file") == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "format version 2, expected 1: build the features again"),
        ({"rows": "3"}, "rows is '3', expected int"),
        ({"rows": True}, "rows is True, expected int"),
        ({"settings": []}, r"settings is \[\], expected dict"),
        ({"dtype": "float64"}, "dtype is 'float64', expected one of float32, float16"),
        ({"dim": ...}, "lacks dim, expected modality, rows"),
        ({"extra": 1}, "unknown extra, expected modality, rows"),
    ],
)
def test_bad_fields(tmp_path: Path, change: dict[str, object], message: str) -> None:
    path = tmp_path / "manifest.json"
    Manifest(modality="text", rows=3, dim=4).write(path)
    content = json.loads(path.read_text()) | change
    path.write_text(json.dumps({key: v for key, v in content.items() if v is not ...}))
    with pytest.raises(ValueError, match=rf"manifest.json: {message}"):
        Manifest.read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", ": not a JSON file"),
        (b"\xff", ":1: byte 0xff is not UTF-8"),
        (b"[]", ": list found, expected a"),
    ],
)
def test_not_a_manifest(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"manifest.json{message}"):
        Manifest.read(path)
