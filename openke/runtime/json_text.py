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
        It is none, says something twice, or is nested so deeply that no reader follows.
    """
    try:
        return json.loads(text, object_pairs_hook=_told_once)
    except RecursionError:
        raise ValueError("nested too deeply, expected JSON of a few levels") from None


def _told_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; of two values of one name nobody knows which is meant."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name!r} is there twice; leave one out")
        found[name] = value
    return found


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
