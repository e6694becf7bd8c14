"""The files of a data set in OpenKE's format: where each one is, and the names the core read."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from openke import _native
from openke.data.name_list import NameList


def needed_file(folder: Path, given: str | PathLike[str] | None, usual: str) -> Path:
    """Return the usual file or the given one; either must be there."""
    path = optional_file(folder, given, usual)
    if path is None:
        there = sorted(p.name for p in folder.glob("*2id.txt"))
        raise FileNotFoundError(
            f"{folder / usual}: found no such file; expected entity2id.txt, relation2id.txt and "
            f"train2id.txt in {folder}, which has {', '.join(there) or 'none of them'}"
        )
    return path


def optional_file(folder: Path, given: str | PathLike[str] | None, usual: str) -> Path | None:
    """Return the usual file if it is there, or the given one, which must be."""
    if given is None:
        path = folder / usual
        if path.is_symlink() and not path.exists():
            raise FileNotFoundError(
                f"{path}: found a link to {path.readlink()}, which is not there; expected a file, "
                "or no link where there is no such split"
            )
        return path if path.exists() else None
    for path in (folder / given, Path(given)):
        if path.exists():
            return path
    raise FileNotFoundError(f"{folder / given}: found no such file, in {folder} or as {given}")


def read_names(handle: _native.Handle, kind: Literal["head", "relation"]) -> NameList | None:
    """Copy the names out of the core; None where the file held only a count."""
    blob, offsets = _native.Address(), _native.Address()
    _native.call(
        "store_names",
        handle.pointer,
        _native.SLOTS[kind],
        _native.reference(blob),
        _native.reference(offsets),
    )
    if offsets.value is None:
        return None
    counts = _native.Counts()
    _native.call("store_counts", handle.pointer, _native.reference(counts))
    count = int(counts.entities if kind == "head" else counts.relations)
    ends = np.frombuffer(_native.copy_bytes(offsets.value, (count + 1) * 8), np.int64)
    return NameList(_native.copy_bytes(blob.value, int(ends[-1])), ends)
