"""Reading files of ``torch.save`` that somebody else may have written."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def load_tensors(path: Path, what: str) -> Any:
    """Return the tensors, numbers and texts of a file; nothing in it is executed.

    Parameters
    ----------
    path
        A file of ``torch.save``.
    what
        What it should be, for the message: "checkpoint".

    Raises
    ------
    OSError
        It cannot be read.
    ValueError
        It is broken, or holds more than that. PyTorch's own words are left out: they advise
        loading it without ``weights_only``, which executes what it holds.
    """
    try:
        _check_archive(path, what)
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, MemoryError, DamagedError):
        raise
    except Exception as error:  # half a dozen kinds
        with path.open("rb") as file:
            start = file.read(16)
        raise ValueError(
            f"{path}: not a readable {what} ({type(error).__name__}): it is broken, or holds more "
            f"than numbers and text, which is never executed here; it starts with {start!r}"
        ) from None


class DamagedError(ValueError):
    """A file whose checksums do not fit what it holds."""


def _check_archive(path: Path, what: str) -> None:
    """Raise :class:`DamagedError` where CRC-32 of a file differ, at which PyTorch never looks.

    Files that PyTorch wrote before 1.6 are no archives, and have none.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DamagedError(f"{path}: not a readable {what}: {error}; copy it again") from None
    if bad is not None:
        raise DamagedError(
            f"{path}: not a readable {what}: {bad} in it is not what was written, its checksum "
            "differs: the file is damaged; copy it again"
        )


def require_numbers(path: Path, tensors: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where a tensor of a file has NaN: nothing that follows is of use."""
    for name, values in tensors.items():
        if isinstance(values, Tensor) and values.is_floating_point() and values.isnan().any():
            raise ValueError(
                f"{path}: {name} holds NaN: the training that wrote it had diverged; take an "
                "earlier file, or train anew"
            )
