"""What a run's folder holds of its data set, so that it can be moved: names, triples, texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from openke.data.store import TripleStore
from openke.runs.seal import SUMS, check_seal, seal
from openke.runtime.folders import whole_folder

PACKED = "packed"
"""In the folder of a run: a data set of its own, with the features that the model uses."""
FEATURES = "features"
PICTURES = "pictures"
WITHOUT_FACTS = "the run was saved without its facts"
FACTS = ("train2id.txt", "valid2id.txt", "test2id.txt", "type_constrain.txt")
"""Triples, and what is made of them."""
SAID = ("labels.tsv", "texts.tsv", "relation_labels.tsv", "relation_kinds.tsv")
FILES = ("entity2id.txt", "relation2id.txt", *FACTS, *SAID)
"""Of a data set's folder, where they are there."""


def packed_folder(run: Path, dataset: str) -> Path:
    """Return where a run's folder has its data set."""
    return run / PACKED / dataset


def pack(
    run: Path, store: TripleStore, more: Callable[[Path], None], *, facts: bool = True
) -> None:
    """Copy a data set into a run's folder, with what ``more`` writes beside it.

    Parameters
    ----------
    run
        Folder of the run.
    store
        The data set.
    more
        Writes into the folder that it is given.
    facts
        Copy the triples, too.

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
        seal_packed(folder)
        return
    with whole_folder(folder) as draft:
        for name in FILES:
            if (facts or name not in FACTS) and (store.directory / name).is_file():
                shutil.copyfile(store.directory / name, draft / name)
        more(draft)
        seal_packed(draft)


def need_facts(facts: bool, otherwise: str) -> None:
    """Raise ``ValueError`` where the facts are not there; ``otherwise`` says what follows."""
    if not facts:
        raise ValueError(f"{WITHOUT_FACTS}: {otherwise}; --data (data=) the data set gives them")


def without_facts(folder: Path) -> TripleStore:
    """Return what a packed data set without triples has: names, and how many there are.

    The core knows no graph without a triple. The one here stands for none.
    """
    with TemporaryDirectory(prefix="openke-") as draft:
        train = Path(draft) / "train2id.txt"
        train.write_text("1\n0 0 0\n")
        return TripleStore.open(folder, train_file=train.resolve())


def seal_packed(folder: Path) -> None:
    """Write the checksums of a packed data set as it is now; pictures are left out."""
    seal(folder, _files(folder))


def check_packed(folder: Path) -> None:
    """Raise where a file of a packed data set is gone or was changed, see :func:`.check_seal`."""
    check_seal(folder, "copy the run's folder again, or give the data set by --data")


def _files(folder: Path) -> Iterator[PurePosixPath]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] not in (PICTURES, SUMS):
            yield PurePosixPath(inside.as_posix())
