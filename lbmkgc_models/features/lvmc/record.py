"""A generated picture and the record beside it, each whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lbmkgc_models.feature_store.manifest import Value, library_versions, today
from openke.datasets.pictures import GENERATED
from openke.runtime.files import sha256_of, write_text, write_whole
from openke.runtime.json_text import read_json

PICTURE, RECORD, FAILURE = f"{GENERATED}.png", f"{GENERATED}.json", "failed.json"
NAMES_ALONE = ("base", "refiner")
"""Settings that say where weights were found; their revisions say which they are."""


def versions() -> dict[str, str]:
    """Return the versions of the libraries that shape a picture."""
    return {**library_versions(), "diffusers": version("diffusers"), "pillow": version("pillow")}


@dataclass(frozen=True, kw_only=True)
class PictureRecord:
    """What a picture was made of."""

    entity: str
    prompt: str
    """All of it, also where CLIP read only its beginning."""
    prompt_cut: str
    """The end of the prompt that was not read; "" for most."""
    seed: int
    settings: Mapping[str, Value]
    """Models, their revisions, scheduler, steps, …: see :attr:`Sdxl.settings`."""
    dtype: str
    device: str
    sha256: str = ""
    """Of the picture; empty until it is saved."""
    versions: Mapping[str, str] = field(default_factory=versions)
    created: str = field(default_factory=today)
    """ISO date; SOURCE_DATE_EPOCH sets it."""


def save(folder: Path, picture: NDArray[np.float32], record: PictureRecord) -> None:
    """Write a picture, Float["h w 3"] from 0 to 1, as PNG, then its record.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written.
    """
    from PIL import Image

    content = BytesIO()
    Image.fromarray(levels(picture)).save(content, "PNG")
    try:
        write_whole(folder / PICTURE, lambda stream: stream.write(content.getbuffer()))
        done = {**asdict(record), "sha256": sha256_of(folder / PICTURE)}
        _write(folder / RECORD, done)
        (folder / FAILURE).unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error


def save_failure(folder: Path, entity: str, error: str) -> None:
    """Write why an entity has no picture.

    Raises
    ------
    OSError
        As :func:`save`.
    """
    try:
        _write(folder / FAILURE, {"entity": entity, "error": error, "created": today()})
    except OSError as cause:
        raise _unwritable(folder, cause) from cause


def levels(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the grey levels, 0 to 255, of a picture from 0 to 1."""
    rounded: NDArray[np.uint8] = (picture * 255).round().astype(np.uint8)
    return rounded


def fault_of(picture: NDArray[np.float32]) -> str | None:
    """Return what shows that a picture is none: values that are not finite, or one colour only."""
    if not np.isfinite(picture).all():
        return "the picture has values that are not finite (in float16, try another dtype)"
    pixels = levels(picture).reshape(-1, picture.shape[-1])
    if (pixels == pixels[0]).all():
        return f"the picture is of one colour, {pixels[0].tolist()}"
    return None


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the object in a file, None where there is no such file or no object in it."""
    try:
        content = read_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return the record of a picture; None where it is not there or is not of the picture there."""
    record = read_object(folder / RECORD)
    if record is None or not (folder / PICTURE).is_file():
        return None
    return record if record.get("sha256") == sha256_of(folder / PICTURE) else None


def is_made(
    folder: Path, entity: str, prompt: str, seed: int, settings: Mapping[str, Value]
) -> bool:
    """Whether an entity's picture is there, with a record, and of the texts there are now.

    Raises
    ------
    ValueError
        It was made with other settings.
    """
    record = read_record(folder)
    if record is None:
        return False
    before = record.get("settings")
    before = before if isinstance(before, dict) else {}
    for name, value in settings.items():
        if name not in NAMES_ALONE and before.get(name) != value:
            raise ValueError(
                f"{folder / RECORD}: made with {name} {before.get(name)!r}, now {value!r}: give "
                "the same options, or another --out, or --overwrite to make all pictures again"
            )
    return (record.get("entity"), record.get("prompt"), record.get("seed")) == (
        entity,
        prompt,
        seed,
    )


def _write(path: Path, content: Mapping[str, object]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _unwritable(folder: Path, error: OSError) -> OSError:
    return OSError(
        f"{folder}: cannot be written ({error}); make room or choose another --out, and run again: "
        "the pictures that are there are kept"
    )
