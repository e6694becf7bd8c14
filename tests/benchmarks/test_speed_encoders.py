"""The script that times encoders, on a handful of items and tiny models."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.lbmkgc_models.features.small import write_dataset, write_picture

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    return importlib.import_module("speed_encoders")


@pytest.mark.slow
def test_every_encoder_is_timed(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "speed.json"
    script.main(script.Settings(tiny=True, count=3, batch_size=2, out=out))
    result = json.loads(out.read_text())
    assert [(row["of"], row["encoder"]) for row in result["results"]] == [
        ("pictures", "colour-histogram"),
        ("pictures", "efficientnet-lite0"),
        ("pictures", "clip"),
        ("pictures", "open_clip"),
        ("pictures", "vit"),
        ("texts", "tfidf"),
        ("texts", "minilm"),
        ("texts", "clip"),
        ("texts", "open_clip"),
    ]
    assert all(row["per second"] > 0 and row["count"] == 3 for row in result["results"])
    assert result["settings"]["pictures"] == "drawn"
    assert {"processor", "threads", "pillow", "torch"} <= set(result["environment"])
    assert "per second" in capsys.readouterr().out


def test_pictures_and_texts_of_ones_own(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "pictures"
    good = [write_picture(folder / name) for name in ("a/1.png", "b/1.png", "c/1.png")]
    (folder / "a" / "0.png").write_text("no picture")
    settings = script.Settings(pictures=folder, texts="Pets", count=2)
    assert script.picture_files(settings, tmp_path / "unused") == good[:2]
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path))
    write_dataset(tmp_path / "Pets")
    assert script.some_texts(settings) == ["dog: animal that barks", "puppy: young dog"]
    empty = script.Settings(pictures=tmp_path / "Pets")
    with pytest.raises(ValueError, match=r"--pictures .*Pets: no picture there"):
        script.picture_files(empty, tmp_path / "unused")
