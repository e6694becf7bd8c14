"""Where SDXL's weights lie, and reading them: safetensors only, whole, and no code with them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import torch

from lbmkgc_models.features.optional_packages import extra
from openke.runtime.files import sha256_of
from openke.runtime.json_text import read_json

INDEX = "model_index.json"
FP16 = "fp16"
COMPONENTS = {
    "vae": ("diffusers", "AutoencoderKL"),
    "unet": ("diffusers", "UNet2DConditionModel"),
    "text_encoder": ("transformers", "CLIPTextModel"),
    "text_encoder_2": ("transformers", "CLIPTextModelWithProjection"),
}
"""The parts of SDXL that have weights: name -> library and class."""

Role = Literal["base", "refiner"]


@dataclass(frozen=True)
class ModelFiles:
    """A base model or a refiner on disk."""

    role: Role
    source: str
    """What the user named: a folder or a Hub id."""
    folder: Path
    revision: str
    """The commit of a Hub id, else the checksum of the weights."""
    variant: str | None
    """"fp16" where the files of that variant are the ones to read."""


def find_model(
    role: Role, source: str, revision: str | None = None, *, half: bool = False
) -> ModelFiles:
    """Find a model's folder, or fetch it from the Hub: its JSON, text and safetensors files alone.

    Parameters
    ----------
    role
        What it is wanted for.
    source
        A folder as ``save_pretrained`` writes it, or a Hub id.
    revision
        Branch, tag or commit of a Hub id.
    half
        Take the half-precision files where there are such; they are half as large.

    Raises
    ------
    OSError
        It is not there and cannot be fetched, or has no safetensors weights.
    ValueError
        A revision for a folder.
    """
    folder = Path(source)
    if source and folder.is_dir():
        if revision is not None:
            raise ValueError(
                f"{role} {source}: a folder has no revision {revision!r}; that is for Hub ids"
            )
    else:
        folder = _fetch(role, source, revision, half)
    if not (folder / INDEX).is_file():
        raise _no_model(role, source, f"{folder} has no {INDEX}")
    variant = FP16 if half and _weights(folder, FP16) else None
    if not _weights(folder, variant):
        raise _no_model(role, source, f"{folder} has no safetensors weights in unet/")
    return ModelFiles(role, source, folder, _revision(folder, variant), variant)


def _fetch(role: Role, source: str, revision: str | None, half: bool) -> Path:
    from huggingface_hub import hf_hub_download, snapshot_download

    try:
        index = Path(hf_hub_download(source, INDEX, revision=revision))
        commit = index.parent.name  # the Hub's cache keeps files by commit: take all from this one
        parts = [name for name in read_json(index.read_bytes()) if not name.startswith("_")]
        texts = [f"{part}/*.{ending}" for part in parts for ending in ("json", "txt")]
        for variant in (FP16, None) if half else (None,):
            weights = [f"{part}/*{_ending(variant)}" for part in parts]
            others = [] if variant else [f"*.{FP16}*.safetensors"]
            patterns = [INDEX, *texts, *weights]
            snapshot_download(
                source, revision=commit, allow_patterns=patterns, ignore_patterns=others
            )
            if _weights(index.parent, variant):
                break
    except Exception as error:  # of a kind of its own for each way in which a network can fail
        raise _no_model(role, source, f"there is no such folder, and {_first(error)}") from error
    return index.parent


def _ending(variant: str | None) -> str:
    return f".{variant}*.safetensors" if variant else ".safetensors"


def _weights(folder: Path, variant: str | None, part: str = "unet") -> list[Path]:
    """Return the weight files of a part of a model in one variant."""
    found = sorted((folder / part).glob(f"*{_ending(variant)}"))
    return [path for path in found if bool(variant) == (f".{FP16}" in path.name)]


def _revision(folder: Path, variant: str | None) -> str:
    if folder.parent.name == "snapshots" and re.fullmatch("[0-9a-f]{40}", folder.name):
        return folder.name
    sums = [
        f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n"
        for part in COMPONENTS
        for path in _weights(folder, variant, part)
    ]
    return f"sha256:{sha256(''.join(sums).encode()).hexdigest()}"


def load_pipeline(model: ModelFiles, pipeline: str, dtype: torch.dtype) -> Any:
    """Return diffusers' pipeline of that class with DDIM sampling (Eq. 3), on the CPU.

    Raises
    ------
    OSError
        A file that is missing, damaged, or has not all the weights. The libraries themselves would
        start such weights at random and go on.
    """
    diffusers = extra("diffusers")
    ddim: Any = diffusers.DDIMScheduler  # its functions are not annotated
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        index = read_json((model.folder / INDEX).read_bytes())
        parts = {part: _load(model, part, dtype) for part in COMPONENTS if _has(index, part)}
        loaded = getattr(diffusers, pipeline).from_pretrained(
            model.folder, add_watermarker=False, dtype=dtype, **parts, **options
        )
        # The formula has no clipping, which DDIMScheduler adds where a config is silent.
        loaded.scheduler = ddim.from_config(loaded.scheduler.config, clip_sample=False)
    except Exception as error:  # libraries raise what they like on a damaged file
        raise _no_model(model.role, model.source, f"{model.folder}: {_first(error)}") from error
    loaded.set_progress_bar_config(disable=True)
    return loaded


def _has(index: dict[str, Any], part: str) -> bool:
    return bool(index.get(part, [None])[0])


def _load(model: ModelFiles, part: str, dtype: torch.dtype) -> Any:
    library, name = COMPONENTS[part]
    weights, info = getattr(__import__(library), name).from_pretrained(
        model.folder,
        subfolder=part,
        variant=model.variant,
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    if missing := sorted(info["missing_keys"]):
        raise ValueError(f"{part}: {len(missing)} weights are missing, the first {missing[0]}")
    return weights.eval()


def _first(error: Exception) -> str:
    return str(error).strip().split("\n")[0] or type(error).__name__


def _no_model(role: Role, source: str, reason: str) -> OSError:
    without = "; or --refiner none" if role == "refiner" else ""
    return OSError(
        f"{role} model {source!r} cannot be loaded: {reason}. Give --{role} a folder of SDXL as "
        f"save_pretrained writes it ({INDEX}, unet/, vae/, … with safetensors), or a Hub id, with "
        f"network access or fetched before{without}"
    )
