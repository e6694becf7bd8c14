"""Checksums of files beside them, so that one that is gone, or was changed, is named."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from openke.runtime.files import is_there, read_text, sha256_of, write_text

SUMS = "SHA256SUMS"
"""As ``sha256sum`` writes it."""
CHECKED_ITSELF = "features.safetensors"
"""A file whose checksum stands in the manifest beside it."""


def seal(folder: Path, files: Iterable[PurePosixPath | str]) -> None:
    """Write the checksums of some files of a folder, as they are now."""
    lines = (f"{sha256_of(folder / file)}  {file}\n" for file in files)
    write_text(folder / SUMS, "".join(lines))


def check_seal(folder: Path, way_out: str) -> None:
    """Raise where a file that was sealed is gone, or is not what was written.

    Earlier releases wrote no checksums.

    Parameters
    ----------
    folder
        Where the checksums are.
    way_out
        What to do about such a file.

    Raises
    ------
    FileNotFoundError, ValueError
        The file by its path.
    """
    if not is_there(folder / SUMS):
        return
    for number, line in enumerate(read_text(folder / SUMS).splitlines(), start=1):
        expected, _, name = line.partition("  ")
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"{folder / SUMS}:{number}: expected a checksum, two blanks and a path"
            )
        if not (folder / path).is_file():
            raise FileNotFoundError(f"{folder / path}: is gone, and belongs to the run; {way_out}")
        if path.name != CHECKED_ITSELF and sha256_of(folder / path) != expected:
            raise ValueError(f"{folder / path}: was changed since the run was written; {way_out}")
