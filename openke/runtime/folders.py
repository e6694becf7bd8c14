"""Folders that appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openke.runtime.files import folder_for, naming


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that takes the place of ``folder`` when the block ends well.

    What stood at ``folder`` before is kept until the new one is complete.
    """
    with folder_for(folder.parent), naming(folder):
        draft = _hidden_sibling(folder)
        draft.mkdir()
        try:
            yield draft
            _replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


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
