"""Pictures on disk and the records beside them."""

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lbmkgc_models.features.lvmc.record import (
    PictureRecord,
    fault_of,
    is_made,
    levels,
    read_record,
    save,
    save_failure,
)
from openke.runtime.files import sha256_of

SETTINGS = {"base": "here", "base_revision": "1", "steps": 5}
RECORD = PictureRecord(
    entity="Île",
    prompt="a photo of île",
    prompt_cut="",
    seed=2**62 + 1,
    settings=SETTINGS,
    dtype="float32",
    device="cpu",
)
NOISE = np.random.default_rng(0).random((16, 16, 3), np.float32)


def _made(folder: Path, **changes: object) -> bool:
    asked = {"entity": "Île", "prompt": "a photo of île", "seed": 2**62 + 1, "settings": SETTINGS}
    return is_made(folder, **{**asked, **changes})  # type: ignore[arg-type]


def test_a_picture_and_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("diffusers")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    folder = tmp_path / "new" / "Île"
    assert not _made(folder)
    save_failure(folder, "Île", "an error")
    save(folder, NOISE, replace(RECORD, created="1970-01-01"))
    assert sorted(path.name for path in folder.iterdir()) == ["generated.json", "generated.png"]
    with Image.open(folder / "generated.png") as picture:
        assert (np.asarray(picture) == levels(NOISE)).all()
    record = json.loads((folder / "generated.json").read_text(encoding="utf-8"))
    assert record == read_record(folder)
    assert record["sha256"] == sha256_of(folder / "generated.png")
    assert (record["entity"], record["seed"], record["settings"]) == ("Île", 2**62 + 1, SETTINGS)
    assert (record["created"], record["dtype"], record["device"]) == (
        "1970-01-01",
        "float32",
        "cpu",
    )
    assert {"torch", "transformers", "diffusers", "pillow"} <= record["versions"].keys()
    assert _made(folder)


def test_what_makes_a_picture_wanted_again(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    save(tmp_path, NOISE, RECORD)
    assert not _made(tmp_path, prompt="a photo of isle")
    assert not _made(tmp_path, seed=1)
    assert not _made(tmp_path, entity="Isle")
    content = (tmp_path / "generated.png").read_bytes()
    (tmp_path / "generated.png").write_bytes(content[:-1])
    assert not _made(tmp_path)
    (tmp_path / "generated.png").unlink()
    assert not _made(tmp_path)
    (tmp_path / "generated.png").write_bytes(content)
    assert _made(tmp_path)
    for broken in ('{"entity": "Î', "[]", "{}"):
        (tmp_path / "generated.json").write_text(broken)
        assert not _made(tmp_path)


def test_other_settings_are_said(tmp_path: Path) -> None:
    save(tmp_path, NOISE, RECORD)
    assert _made(tmp_path, settings={**SETTINGS, "base": "there"})
    message = (
        r"generated.json: made with steps 5, now 6: give the same options, or another --out, or "
        r"--overwrite"
    )
    with pytest.raises(ValueError, match=message):
        _made(tmp_path, settings={**SETTINGS, "steps": 6})
    with pytest.raises(ValueError, match="made with base_revision '1', now '2'"):
        _made(tmp_path, settings={**SETTINGS, "base_revision": "2"})


def test_what_is_no_picture() -> None:
    assert fault_of(NOISE) is None
    assert fault_of(np.zeros((4, 4, 3), np.float32)) == "the picture is of one colour, [0, 0, 0]"
    almost = np.full((4, 4, 3), 0.5, np.float32)
    almost[0, 0, 0] += 1e-4  # the same grey level
    assert fault_of(almost) == "the picture is of one colour, [128, 128, 128]"
    almost[0, 0, 0] = 0.51
    assert fault_of(almost) is None
    almost[0, 0, 0] = np.nan
    assert fault_of(almost) == (
        "the picture has values that are not finite (in float16, try another dtype)"
    )


def _fill_the_disk(descriptor: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", _fill_the_disk)
    message = (
        rf"{tmp_path}/a: cannot be written \(.*No space left on device.*\); make room or choose"
    )
    with pytest.raises(OSError, match=message):
        save(tmp_path / "a", NOISE, RECORD)
    with pytest.raises(OSError, match=message):
        save_failure(tmp_path / "a", "a", "an error")
    assert not (tmp_path / "a").exists()
