"""JSON is read here, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openke.runtime.files import read_text


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises
    ------
    ValueError
        It is none, or is nested so deeply that no reader follows.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply, expected JSON of a few levels") from None


def read_json_file(path: Path) -> Any:
    """Return the value in a file of JSON.

    Raises
    ------
    ValueError
        It holds none: names the file.
    """
    text = read_text(path)
    try:
        return read_json(text)
    except ValueError as error:
        raise ValueError(f"{path}: not a JSON file: {error}") from None


def through_json(value: Any) -> Any:
    """Return a value as it comes back from a file of JSON: tuples as lists, all names as texts."""
    return read_json(json.dumps(value))
