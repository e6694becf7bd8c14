"""Folders that appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openke.runtime.drafts import draft_beside, replace_folder
from openke.runtime.files import folder_for, naming, require_folder


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder that takes the place of ``folder`` when the block ends well.

    What stood at ``folder`` before is kept until the new one is complete.
    """
    with draft_of(folder) as draft:
        yield draft
        replace_folder(folder, draft)


@contextmanager
def draft_of(folder: Path) -> Iterator[Path]:
    """Yield an empty temporary folder beside ``folder`` that is gone when the block ends."""
    require_folder(folder)
    with folder_for(folder.parent), naming(folder), draft_beside(folder) as draft:
        draft.mkdir()
        yield draft
