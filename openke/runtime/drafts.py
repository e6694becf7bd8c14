"""Temporary names beside files and folders, and what processes that were killed left of them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

DRAFT = re.compile(r"\.(?P<name>.+)\.\d+-[0-9a-f]{8}", re.DOTALL)
"""How the names of drafts are made."""
LOCK, OLD = ".lock", ".old"
"""What follows them in the names of a draft's lock, and of the folder that it replaces."""


@contextmanager
def draft_beside(path: Path) -> Iterator[Path]:
    """Yield a free name beside ``path`` for what is to take its place.

    What has that name at the end is removed. A lock beside it says that somebody works on it; that
    of a process that was killed, however, holds no more. Such drafts in the same folder are cleared
    away first, see :func:`sweep`.

    Raises
    ------
    OSError
        As the block does; what is said of the draft is said of ``path``.
    """
    sweep(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    with named_in_place(draft, path), FileLock(_with(draft, LOCK)):
        try:
            yield draft
        finally:
            _settle(draft, path)


def replace_folder(folder: Path, draft: Path) -> None:
    """Give a draft of a folder its place.

    No portable call swaps two folders, so the old one steps aside. Whatever comes between, and be
    it the end of the process, it has its place again when the draft is cleared away.
    """
    if folder.exists():
        folder.rename(_with(draft, OLD))
    draft.rename(folder)


@contextmanager
def named_in_place(draft: Path, place: Path) -> Iterator[None]:
    """Name a file of a draft, in an error of the system, by the place that it was to have."""
    try:
        yield
    except OSError as error:
        name = error.filename
        if not isinstance(name, str):
            raise
        if name == str(_with(draft, LOCK)):
            name = str(draft)
        if not Path(name).is_relative_to(draft):
            raise
        parts = Path(name).relative_to(draft).parts
        inside = parts[1:] if parts[:1] == (place.name,) else parts
        raise OSError(error.errno, error.strerror, str(place.joinpath(*inside))) from error


def sweep(folder: Path) -> None:
    """Clear away the drafts in a folder that nobody works on any more."""
    for lock in folder.glob(f".*{LOCK}"):
        if named := DRAFT.fullmatch(lock.stem):
            # Else somebody works on it, or it is not ours.
            with suppress(Timeout, OSError), FileLock(lock, timeout=0):
                _settle(lock.with_name(lock.stem), lock.with_name(named["name"]))


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _settle(draft: Path, place: Path) -> None:
    """Clear a draft away; what it was to replace, and did not, has its place again."""
    old = _with(draft, OLD)
    if old.exists() and not os.path.lexists(place):
        old.rename(place)
    remove(old)
    remove(draft)
    with suppress(OSError):  # where an open file cannot be removed, its lock removes it
        _with(draft, LOCK).unlink(missing_ok=True)


def _with(draft: Path, ending: str) -> Path:
    return draft.with_name(draft.name + ending)
