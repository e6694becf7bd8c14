"""Folders that appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from openke.runtime.files import folder_for, naming, require_folder

DRAFT = re.compile(r"\.\d+-[0-9a-f]{8}$")
"""How the names of temporary folders end."""


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that takes the place of ``folder`` when the block ends well.

    What stood at ``folder`` before is kept until the new one is complete.
    """
    with draft_of(folder) as draft:
        yield draft
        _replace(draft, folder)


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``folder`` that is gone when the block ends.

    A lock beside it says that somebody works in it: the drafts of processes that were killed have
    none that holds, and are cleared away first.
    """
    require_folder(folder)
    with folder_for(folder.parent), naming(folder):
        _sweep(folder)
        draft = _hidden_sibling(folder)
        lock = FileLock(_lock_of(draft))
        with lock:
            try:
                draft.mkdir()
                with _named_in_place(draft, folder):
                    yield draft
            finally:
                shutil.rmtree(draft, ignore_errors=True)
                _lock_of(draft).unlink(missing_ok=True)


@contextmanager
def _named_in_place(draft: Path, folder: Path) -> Iterator[None]:
    """Name a file of a draft, in an error of the system, by the place that it was to have."""
    try:
        yield
    except OSError as error:
        name = error.filename
        if not isinstance(name, str) or not Path(name).is_relative_to(draft):
            raise
        parts = Path(name).relative_to(draft).parts
        inside = parts[1:] if parts[:1] == (folder.name,) else parts
        raise OSError(error.errno, error.strerror, str(folder.joinpath(*inside))) from error


def _lock_of(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.lock")


def _sweep(folder: Path) -> None:
    """Remove drafts that nobody works in any more."""
    for path in folder.parent.glob(f".{glob.escape(folder.name)}.*.lock"):
        if not DRAFT.search(path.stem):
            continue
        try:
            with FileLock(path, timeout=0):
                shutil.rmtree(path.with_name(path.stem), ignore_errors=True)
                path.unlink(missing_ok=True)
        except Timeout:
            continue


def _replace(draft: Path, folder: Path) -> None:
    if not folder.exists():
        draft.rename(folder)
        return
    # No portable call swaps two folders: the old one steps aside, and back if the rename fails.
    aside = _hidden_sibling(folder)
    folder.rename(aside)
    try:
        draft.rename(folder)
    except OSError:
        aside.rename(folder)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _hidden_sibling(folder: Path) -> Path:
    # Beside it, so that the rename stays on one file system.
    return folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}")
