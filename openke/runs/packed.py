"""What a run's folder holds of its data set, so that it can be moved: names, triples, texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from openke.data.store import TripleStore
from openke.runtime.folders import whole_folder

PACKED = "packed"
"""In the folder of a run: a data set of its own, with the features that the model uses."""
FEATURES = "features"
FILES = (
    "entity2id.txt",
    "relation2id.txt",
    "train2id.txt",
    "valid2id.txt",
    "test2id.txt",
    "labels.tsv",
    "texts.tsv",
    "relation_labels.tsv",
    "relation_kinds.tsv",
    "type_constrain.txt",
)
"""Of a data set's folder, where they are there."""


def packed_folder(run: Path, dataset: str) -> Path:
    """Return where a run's folder has its data set."""
    return run / PACKED / dataset


def pack(run: Path, store: TripleStore, more: Callable[[Path], None]) -> None:
    """Copy a data set into a run's folder, with what ``more`` writes beside it.

    Raises
    ------
    ValueError
        The triples come from no folder.
    OSError
        The disk is full, or the folder cannot be written.
    """
    if store.directory is None:
        raise ValueError("the triples come from no folder, which could be copied into the run's")
    folder = packed_folder(run, store.name)
    if store.directory.resolve() == folder.resolve():
        more(folder)
        return
    with whole_folder(folder) as draft:
        for name in FILES:
            if (store.directory / name).is_file():
                shutil.copyfile(store.directory / name, draft / name)
        more(draft)
