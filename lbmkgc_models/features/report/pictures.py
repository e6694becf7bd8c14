"""Pictures on the page: found, made small, embedded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from lbmkgc_models.features.extras import extra
from lbmkgc_models.features.pictures import folder_name

GENERATED = "generated"
SIZE = 128
"""Pixels of the longer side of an embedded picture."""


@dataclass(frozen=True)
class Shown:
    """A picture that stands on the page."""

    uri: str
    """``data:image/jpeg;base64,…``; "" where the file could not be read."""
    generated: bool = False
    prompt: str = ""
    seed: str = ""


def find_files(folders: Sequence[Path], names: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Return entity -> its picture files, for the entities that have some.

    Raises
    ------
    FileNotFoundError
        One of the folders is not there.
    """
    found: dict[str, tuple[Path, ...]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder, expected one with pictures")
        for name in names:
            place = folder / folder_name(name)
            files = tuple(sorted(place.glob("*.png"))) if place.is_dir() else ()
            if files:
                found.setdefault(name, files)
    return found


def is_generated(path: Path) -> bool:
    """Whether a picture was generated: its record lies beside it."""
    return path.stem == GENERATED and path.with_suffix(".json").is_file()


def show(path: Path) -> Shown:
    """Return a small copy of a picture, with prompt and seed where it was generated."""
    made = is_generated(path)
    record = _record(path.with_suffix(".json")) if made else {}
    return Shown(
        uri=_small(path),
        generated=made,
        prompt=str(record.get("prompt", "")),
        seed=str(record.get("seed", "")),
    )


def data_uri(content: bytes, kind: str) -> str:
    """Return bytes as an address that holds them: kind is "image/png", ...."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _small(path: Path) -> str:
    image_module = extra("PIL.Image")
    try:
        with image_module.open(path) as picture:
            small = picture.convert("RGBA")
            small.thumbnail((SIZE, SIZE))
    except (OSError, ValueError, SyntaxError, image_module.DecompressionBombError):
        return ""  # the page says so; what was skipped and why stands in the manifests
    flat = image_module.new("RGB", small.size, "white")
    flat.paste(small, mask=small.getchannel("A"))
    content = BytesIO()
    flat.save(content, "JPEG", quality=85)
    return data_uri(content.getvalue(), "image/jpeg")


def _record(path: Path) -> Mapping[str, object]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
