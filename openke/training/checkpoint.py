"""Checkpoints: everything an unbroken run would have, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from openke.runtime.checksum import checksum
from openke.runtime.files import is_there
from openke.runtime.json_text import read_json, through_json
from openke.runtime.tensors import load_tensors, save_tensors

FORMAT = 1


def save_checkpoint(path: Path, identity: dict[str, Any], state: dict[str, Any]) -> None:
    """Write ``state`` (tensors, numbers, strings, lists, dicts) with what it belongs to.

    Raises
    ------
    OSError
        The file cannot be written; an older checkpoint of that name is then still whole.
    """
    text = json.dumps(identity, sort_keys=True)
    save_tensors(path, {"format": FORMAT, "identity": text, "state": state})


def load_checkpoint(path: Path, identity: dict[str, Any]) -> dict[str, Any]:
    """Return the state in a checkpoint that belongs to ``identity``; nothing in it is executed.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Not a checkpoint, or one of another model, data set or setting; says which.
    """
    if not is_there(path):
        raise FileNotFoundError(f"{path}: no such checkpoint")
    content = load_tensors(path, "checkpoint")
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path}: not a checkpoint of format {FORMAT} of this package")
    sealed = checksum([content.get("identity"), content.get("state")])
    if content.get("sha256", sealed) != sealed:  # of files from before they were sealed
        raise ValueError(
            f"{path}: is not what was written, its checksum differs: the file is damaged; go on "
            "from a copy of it, or train anew"
        )
    found = read_json(content.get("identity", "{}"))
    expected = through_json(identity)
    differing = differences(expected, found)
    if differing:
        raise ValueError(
            f"{path}: belongs to another run: " + "; ".join(differing) + ". Use the settings and"
            " data it was made with, or train anew into another folder"
        )
    state: dict[str, Any] = content["state"]
    return state


def differences(expected: Any, found: Any, name: str = "") -> list[str]:
    """Return where two JSON values differ, one line for each place."""
    if isinstance(expected, dict) and isinstance(found, dict):
        names = sorted(set(expected) | set(found))
        return [
            line
            for key in names
            for line in differences(
                expected.get(key), found.get(key), f"{name}.{key}" if name else key
            )
        ]
    return [] if expected == found else [f"{name} is {found!r} there and {expected!r} here"]
