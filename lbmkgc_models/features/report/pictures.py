"""Pictures on the page: found, made small, embedded."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lbmkgc_models.features.read_image import BadPicture
from lbmkgc_models.features.small_pictures import small_jpeg
from openke.datasets.pictures import is_generated
from openke.runtime.files import read_text
from openke.runtime.json_text import read_json

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
    try:
        return data_uri(small_jpeg(path, SIZE), "image/jpeg")
    except BadPicture:
        return ""  # the page says so; what was skipped and why stands in the manifests


def _record(path: Path) -> Mapping[str, object]:
    try:
        content = read_json(read_text(path))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
