"""``manifest.json`` of a feature store: what the rows are, what made them, their checksums."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeAlias

from openke.runtime.json_text import read_json_file

FORMAT = 1
DTYPES = ("float32", "float16")

LIBRARIES = (
    "torch",
    "torchvision",
    "transformers",
    "tokenizers",
    "open_clip_torch",
    "scikit-learn",
    "pillow",
    "safetensors",
)
"""They shape features."""

MAYBE = ("parts", "codes")
"""Fields that are in a file only where they are not 0."""

Value: TypeAlias = "str | int | float | bool | None"


def today() -> str:
    """Return the ISO date in UTC, or that of SOURCE_DATE_EPOCH (seconds) where it is set."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.fromtimestamp(int(epoch), timezone.utc) if epoch else datetime.now(timezone.utc)
    return now.date().isoformat()


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that shape features, where they are installed."""
    found = {}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Description of the rows of one modality."""

    modality: str
    """What the rows are of: "image", "text"."""
    rows: int
    dim: int
    dtype: str = "float32"
    """The stored tensor is Float["rows dim"] of this type."""
    parts: int = 0
    """The most rows of an entity, where one may have several; 0: each has one row. Files of stores
    of one row do not name it."""
    codes: int = 0
    """Rows of the codebook that the rows are of; 0: each row is one of its own. Other files do not
    name it."""
    dataset: str = ""
    """What the rows were made for; matched by name, they may serve another data set."""
    encoder: str = ""
    revision: str = ""
    """Version of the encoder's weights, or their checksum."""
    settings: Mapping[str, Value] = field(default_factory=dict)
    """The encoder's options."""
    notes: Mapping[str, Value] = field(default_factory=dict)
    """Anything else worth keeping, such as how many texts were cut."""
    created: str = field(default_factory=today)
    """ISO date; SOURCE_DATE_EPOCH sets it, for stores that must come out the same byte for byte."""
    versions: Mapping[str, str] = field(default_factory=library_versions)
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Checksums of the store's other files by name; empty until it is saved."""
    format: int = FORMAT

    def write(self, path: Path) -> None:
        """Write as JSON, keys in the order of the fields."""
        content = asdict(self)
        for name in MAYBE:
            if not content[name]:
                del content[name]
        text = json.dumps(content, indent=2, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, path: Path) -> Manifest:
        """Read and check.

        Raises
        ------
        ValueError
            Not JSON, a missing or unknown field, a value of another type, another format version.
        """
        content = read_json_file(path)
        if not isinstance(content, dict):
            raise ValueError(f"{path}: {type(content).__name__} found, expected a JSON object")
        # Before the fields: another version may have others.
        if content.get("format") != FORMAT:
            raise ValueError(
                f"{path}: format version {content.get('format')!r}, expected {FORMAT}: build the "
                "features again, or read them with the version of this package that wrote them"
            )
        _check_fields(path, content)
        return cls(**content)


def _check_fields(path: Path, content: Mapping[str, Any]) -> None:
    kinds = {
        name: type(value) for name, value in asdict(Manifest(modality="", rows=0, dim=0)).items()
    }
    if missing := sorted(kinds.keys() - content.keys() - set(MAYBE)):
        raise ValueError(f"{path}: lacks {', '.join(missing)}, expected {', '.join(kinds)}")
    if unknown := sorted(content.keys() - kinds.keys()):
        raise ValueError(f"{path}: unknown {', '.join(unknown)}, expected {', '.join(kinds)}")
    for name, kind in kinds.items():
        if name not in content:
            continue
        # type(), not isinstance: true is no row count.
        if type(content[name]) is not kind:
            raise ValueError(f"{path}: {name} is {content[name]!r}, expected {kind.__name__}")
    if content["dtype"] not in DTYPES:
        raise ValueError(
            f"{path}: dtype is {content['dtype']!r}, expected one of {', '.join(DTYPES)}"
        )
