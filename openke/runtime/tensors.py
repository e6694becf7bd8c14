"""Files of ``torch.save``: written with a checksum, read as somebody else may have written them."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from openke.runtime.files import sha256_up_to, write_whole

MARK = b"sha256:"
SEAL = len(MARK) + 64
"""Bytes at the end of a file: its checksum, as what ZIP calls the archive's comment."""
DAMAGED = "its checksum differs: the file is damaged; copy it again, or take another one"


def save_tensors(path: Path, content: Any) -> None:
    """Write tensors, numbers and texts, whole or not at all; any change is found when it is read.

    ``torch.load`` reads it as any other file of ``torch.save``.

    Raises
    ------
    OSError
        The file cannot be written; an older one of that name is then still whole.
    """

    def write(stream: IO[bytes]) -> None:
        torch.save(content, stream)
        _seal(stream)

    write_whole(path, write)


def _seal(stream: IO[bytes]) -> None:
    """Add the checksum of all bytes before it, the two that say how long it is among them."""
    stream.seek(-2, os.SEEK_END)
    assert stream.read() == b"\0\0"  # PyTorch's archives have no comment
    stream.seek(-2, os.SEEK_END)
    stream.write(struct.pack("<H", SEAL))
    end = stream.tell()
    digest = sha256_up_to(stream, end)
    stream.seek(end)
    stream.write(MARK + digest.encode())


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
        _check(path, what)
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


def _check(path: Path, what: str) -> None:
    """Raise :class:`DamagedError` where the checksums of a file differ; PyTorch looks at none.

    What :func:`save_tensors` wrote has one of the whole file, other archives have CRC-32 of what
    they hold. Files that PyTorch wrote before 1.6 are no archives, and have none.
    """
    if not zipfile.is_zipfile(path):
        return
    try:
        with zipfile.ZipFile(path) as archive:
            sealed = bool(archive.comment)
            bad = None if sealed else archive.testzip()
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise DamagedError(f"{path}: not a readable {what}: {error}; copy it again") from None
    if sealed and not _fits_seal(path):
        raise DamagedError(f"{path}: this {what} is not what was written, {DAMAGED}")
    if bad is not None:
        raise DamagedError(
            f"{path}: not a readable {what}: {bad} in it is not what was written, {DAMAGED}"
        )


def _fits_seal(path: Path) -> bool:
    with path.open("rb") as file:
        end = file.seek(-SEAL, os.SEEK_END)
        return file.read() == MARK + sha256_up_to(file, end).encode()


def require_numbers(path: Path, tensors: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` where a tensor of a file has NaN: nothing that follows is of use."""
    for name, values in tensors.items():
        if isinstance(values, Tensor) and values.is_floating_point() and values.isnan().any():
            raise ValueError(
                f"{path}: {name} holds NaN: the training that wrote it had diverged; take an "
                "earlier file, or train anew"
            )
