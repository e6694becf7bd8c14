"""``openke features generate``."""

from pathlib import Path

import pytest
import tyro
from PIL import Image

from lbmkgc_models.features.lvmc.command import command
from openke.datasets import pictures
from tests.lbmkgc_models.features.small import LABELS, write_dataset


def _run(*arguments: object) -> None:
    flags = (tyro.conf.FlagCreatePairsOff,)
    tyro.cli(command, args=[str(argument) for argument in arguments], config=flags)


@pytest.mark.slow
def test_pictures_for_a_data_set(
    tmp_path: Path, tiny_sdxl: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    out, (base, refiner) = tmp_path / "out", tiny_sdxl
    models = ["--base", base, "--refiner", refiner, "--size", 32, "--steps", 5, "--base-end", 0.6]
    arguments = [write_dataset(tmp_path / "Pets"), "--out", out, *models, "--device", "cpu"]
    _run(*arguments, "--batch-size", 4, "--dtype", "bfloat16", "--limit", 3)
    counts = "4 entities without a picture: 3 generated, 0 failed, 1 left"
    assert capsys.readouterr().out == f"{counts} ({out})\n"
    assert len(list(out.glob("*/generated.png"))) == 3
    _run(*arguments, "--dry-run")
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == counts
    names = sorted(name for name, _, _ in LABELS)
    assert [line.split(": ")[0] for line in printed[1:]] == names[:3]
    assert printed[2].startswith("<http://x/Dog>: 'a photo of dog, animal that barks', seed ")
    assert len(list(out.glob("*/generated.png"))) == 3


def test_a_dry_run_needs_no_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dataset(tmp_path / "Pets")
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path))
    _run("Pets", "--out", tmp_path / "out", "--dry-run", "--template", "{label} in oil")
    assert "'bank run in oil'" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_entities_that_have_a_picture_get_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, real = write_dataset(tmp_path / "Pets"), tmp_path / "real"
    place = real / pictures.folder_name("<http://x/Dog>")
    place.mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(place / "0.png")
    _run(folder, "--out", tmp_path / "out", "--pictures", real, "--dry-run")
    assert capsys.readouterr().out.startswith("3 entities without a picture: 0 generated")


def test_out_is_no_folder_of_real_pictures(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "Pets")
    with pytest.raises(
        ValueError, match=r"--pictures .*/out: it is --out too, expected folders of"
    ):
        command(str(folder), out=tmp_path / "out", pictures=(tmp_path / "." / "out",))


def test_models_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folder = write_dataset(tmp_path / "Pets")
    message = r"base model 'stabilityai/stable-diffusion-xl-base-1.0' cannot be loaded: there is no"
    with pytest.raises(OSError, match=message):
        command(str(folder), out=tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()
