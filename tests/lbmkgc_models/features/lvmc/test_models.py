"""Finding SDXL's weights, and refusing what is not whole."""

import json
import re
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lbmkgc_models.features.lvmc.models import ModelFiles, find_model, load_pipeline
from openke.runtime.files import sha256_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder_2/model.safetensors"
WAYS = r"Give --base a folder of SDXL as save_pretrained writes it .* or a Hub id, with network"


@pytest.fixture
def base(tiny_sdxl: tuple[Path, Path], tmp_path: Path) -> Path:
    """Return a copy of the tiny base that a test may damage."""
    return Path(shutil.copytree(tiny_sdxl[0], tmp_path / "base"))


def _halve(folder: Path, *, keep: bool) -> None:
    """Give a model the names of half precision, beside its own or in their place."""
    for path in folder.glob("*/*.safetensors"):
        half = path.with_name(path.name.replace(".safetensors", ".fp16.safetensors"))
        shutil.copy(path, half) if keep else path.rename(half)


def _load(model: ModelFiles) -> object:
    return load_pipeline(model, "StableDiffusionXLPipeline", torch.float32)


def test_a_folder_and_its_checksum(base: Path) -> None:
    model = find_model("base", str(base))
    sums = "".join(
        f"{path} {sha256_of(base / path)}\n"
        for path in (
            "vae/diffusion_pytorch_model.safetensors",
            UNET,
            "text_encoder/model.safetensors",
            TEXT,
        )
    )
    revision = f"sha256:{sha256(sums.encode()).hexdigest()}"
    assert model == ModelFiles("base", str(base), base, revision, None)
    (base / UNET).write_bytes(b"other")
    assert find_model("base", str(base)).revision != revision


def test_half_precision_files_are_read_where_they_are(base: Path) -> None:
    assert find_model("base", str(base), half=True).variant is None
    _halve(base, keep=True)
    full = find_model("base", str(base))
    assert full.variant is None
    half = find_model("base", str(base), half=True)
    assert half.variant == "fp16"
    assert half.revision != full.revision
    for path in base.glob("*/*[!6].safetensors"):
        path.unlink()
    pipeline = load_pipeline(half, "StableDiffusionXLPipeline", torch.bfloat16)
    assert pipeline.unet.dtype == pipeline.text_encoder.dtype == torch.bfloat16
    with pytest.raises(OSError, match=r"base has no safetensors weights in unet/. Give --base"):
        find_model("base", str(base))


def test_the_sampler_is_ddim_without_clipping(base: Path) -> None:
    pipeline = load_pipeline(
        find_model("base", str(base)), "StableDiffusionXLPipeline", torch.float32
    )
    assert type(pipeline.scheduler).__name__ == "DDIMScheduler"
    assert not pipeline.scheduler.config.clip_sample
    assert pipeline.scheduler.config.timestep_spacing == "leading"
    assert pipeline.watermark is None


def test_a_folder_has_no_revision(base: Path) -> None:
    with pytest.raises(ValueError, match=r"base .*: a folder has no revision 'main'; that is for"):
        find_model("base", str(base), "main")


def test_a_folder_without_an_index(base: Path) -> None:
    (base / "model_index.json").unlink()
    with pytest.raises(OSError, match=rf"{base} has no model_index.json. {WAYS}"):
        find_model("base", str(base))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache of the Hub; there is no network."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("source", ["some/sdxl", "./nowhere", "two words", ""])
def test_neither_a_folder_nor_on_the_hub(hub: Path, source: str) -> None:
    start = rf"base model '{re.escape(source)}' cannot be loaded: there is no such folder, and .+"
    with pytest.raises(OSError, match=start + WAYS):
        find_model("base", source)
    with pytest.raises(OSError, match=r"Give --refiner a folder .* before; or --refiner none"):
        find_model("refiner", source)


@pytest.mark.parametrize("half", [False, True])
def test_a_hub_id_and_the_commit_it_stands_for(hub: Path, base: Path, half: bool) -> None:
    # The layout of the Hub's cache, as a download would have left it.
    snapshot = hub / "models--some--sdxl" / "snapshots" / COMMIT
    shutil.copytree(base, snapshot)
    (hub / "models--some--sdxl" / "refs").mkdir()
    (hub / "models--some--sdxl" / "refs" / "main").write_text(COMMIT)
    model = find_model("base", "some/sdxl", half=half)
    assert model == ModelFiles("base", "some/sdxl", snapshot, COMMIT, None)
    assert find_model("base", "some/sdxl", COMMIT) == model
    assert _load(model) is not None
    with pytest.raises(OSError, match="'some/sdxl' cannot be loaded: there is no such folder, and"):
        find_model("base", "some/sdxl", "other-branch")


def _cut(folder: Path) -> None:
    content = (folder / UNET).read_bytes()
    (folder / UNET).write_bytes(content[: len(content) // 2])


def _lose(file: str, name: str) -> Callable[[Path], None]:
    def lose(folder: Path) -> None:
        weights = load_file(folder / file)
        del weights[name]
        save_file(weights, folder / file, metadata={"format": "pt"})

    return lose


def _reshape(folder: Path) -> None:
    weights = load_file(folder / UNET)
    weights["conv_in.bias"] = torch.zeros(3)
    save_file(weights, folder / UNET, metadata={"format": "pt"})


def _pickle(folder: Path) -> None:
    (folder / TEXT).rename(folder / "text_encoder_2" / "pytorch_model.bin")


def _other_class(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "vae": [None, None]}))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut, "Unable to load weights from checkpoint file"),
        (_lose(UNET, "conv_in.bias"), "unet: 1 weights are missing, the first conv_in.bias"),
        (
            _lose(TEXT, "text_projection.weight"),
            "text_encoder_2: 1 weights are missing, the first text_projection.weight",
        ),
        (_reshape, "conv_in.bias expected shape"),
        (_pickle, "no file named model.safetensors"),
        (_other_class, "vae"),
        (lambda folder: shutil.rmtree(folder / "scheduler"), "scheduler"),
    ],
)
def test_weights_that_are_not_whole(
    base: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(base)
    with pytest.raises(OSError, match=rf"cannot be loaded: {base}: .*{reason}.*{WAYS}"):
        _load(find_model("base", str(base)))


def test_no_code_that_comes_with_a_model_is_run(base: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (base / "own.py").write_text(f"open({str(mark)!r}, 'w')\nclass Own: pass\n")
    index = json.loads((base / "model_index.json").read_text())
    (base / "model_index.json").write_text(json.dumps({**index, "_class_name": ["own", "Own"]}))
    with pytest.raises(OSError, match=r"cannot be loaded: .*contains custom code in own.py"):
        _load(find_model("base", str(base)))
    assert not mark.exists()
