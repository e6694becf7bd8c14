"""Writing files whole or not at all, and reading what others wrote."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from openke.runtime.drafts import draft_beside


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write ``path`` through a temporary neighbour and a rename, so no reader sees half of it.

    Raises
    ------
    OSError
        The disk is full or the folder cannot be written; ``path`` is then as it was.
    """
    # Not NamedTemporaryFile, which makes files private to their owner: a result is as readable as
    # any other.
    with folder_for(path.parent), naming(path), draft_beside(path) as draft:
        with draft.open("x+b") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)


@contextmanager
def folder_for(folder: Path) -> Iterator[None]:
    """Make a folder for what is written meanwhile; where nothing was, it goes away again.

    So do those above it that had to be made.

    Raises
    ------
    OSError
        Something else is in its place, or it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not _exists(each)]
    for each in (*missing, *folder.parents[:1], folder):
        require_folder(each)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        with suppress(OSError):  # there is something in it, or it was never made
            for each in missing:
                each.rmdir()


def require_folder(path: Path) -> None:
    """Raise ``FileExistsError`` where something other than a folder is in its place."""
    if os.path.lexists(path) and not path.is_dir():
        what = "a file" if _exists(path) else "a link that leads nowhere"
        raise FileExistsError(f"{path}: is {what}, expected a folder; name another place")


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Give the system's errors a file's name: a write to what is open says none of its own.

    Raises
    ------
    OSError
        As the block did, with ``path`` where no file was named.
    """
    try:
        yield
    except BaseException as error:
        if (cause := _of_system(error)) is not None:
            raise OSError(cause.errno, cause.strerror, str(path)) from error
        raise


def _of_system(error: BaseException) -> OSError | None:
    """Return the error of a write that names no file, also where PyTorch has hidden it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno is not None:
            return found if found.filename is None else None
        found = found.__cause__ or found.__context__
    return None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    write_whole(path, lambda stream: stream.write(text.encode("utf-8")))


def read_text(path: Path, encoding: str = "utf-8-sig") -> str:
    """Return the text of a file; a byte order mark at its start is dropped unless "utf-8" is asked.

    Raises
    ------
    ValueError
        Not UTF-8; the message names the line.
    """
    content = path.read_bytes()
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise not_utf8(path, line, error) from None


def not_utf8(path: Path, line: int, error: UnicodeDecodeError) -> ValueError:
    """Return the error that names the file, the line and the byte that cannot be decoded."""
    return ValueError(
        f"{path}:{line}: byte {error.object[error.start]:#04x} is not UTF-8; save it as UTF-8 "
        "(in Excel: CSV UTF-8)"
    )


def is_there(path: Path) -> bool:
    """Return whether a file is there that need not be.

    Raises
    ------
    OSError
        Something else has its name: a folder, a pipe, a link that leads nowhere. Nobody means that
        as "there is none", and reading a pipe would wait for ever.
    """
    if path.is_file():
        return True
    if not os.path.lexists(path):
        return False
    what = "a folder" if path.is_dir() else "a pipe or device"
    if path.is_symlink() and not _exists(path):
        what = "a link that leads nowhere"
    raise OSError(f"{path}: is {what}, expected a file; remove it, or put the file in its place")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a link that leads round in a circle
        return False


def sha256_of(path: Path) -> str:
    """Return the checksum of a file in hex."""
    with path.open("rb") as file:
        return sha256_up_to(file, path.stat().st_size)


def sha256_up_to(file: IO[bytes], end: int) -> str:
    """Return the checksum in hex of what an open file has before a place."""
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(min(1 << 20, end - file.tell())):
        digest.update(chunk)
    return digest.hexdigest()
