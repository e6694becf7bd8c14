"""What a run's folder holds of its data set, so that it can be moved: names, triples, texts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from openke.data.store import TripleStore
from openke.runtime.files import read_text, sha256_of, write_text
from openke.runtime.folders import whole_folder

PACKED = "packed"
"""In the folder of a run: a data set of its own, with the features that the model uses."""
FEATURES = "features"
SUMS = "SHA256SUMS"
"""In a packed data set: checksums of its files, as ``sha256sum`` writes them."""
PICTURES = "pictures"
CHECKED_ITSELF = "features.safetensors"
"""A file whose checksum stands in the manifest beside it."""
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
        seal(folder)
        return
    with whole_folder(folder) as draft:
        for name in FILES:
            if (facts or name not in FACTS) and (store.directory / name).is_file():
                shutil.copyfile(store.directory / name, draft / name)
        more(draft)
        seal(draft)


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


def seal(folder: Path) -> None:
    """Write the checksums of a packed data set as it is now; pictures are left out."""
    lines = (f"{sha256_of(folder / path)}  {path}\n" for path in _files(folder))
    write_text(folder / SUMS, "".join(lines))


def check_seal(folder: Path) -> None:
    """Raise where a file of a packed data set is gone, or is not what was written.

    Earlier releases wrote no checksums.

    Raises
    ------
    FileNotFoundError, ValueError
        The file by its path.
    """
    if not (folder / SUMS).is_file():
        return
    again = "copy the run's folder again, or give the data set by --data"
    for number, line in enumerate(read_text(folder / SUMS).splitlines(), start=1):
        expected, _, name = line.partition("  ")
        path = PurePosixPath(name)
        if not name or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"{folder / SUMS}:{number}: expected a checksum, two blanks and a path"
            )
        if not (folder / path).is_file():
            raise FileNotFoundError(f"{folder / path}: is gone, and belongs to the run; {again}")
        if path.name != CHECKED_ITSELF and sha256_of(folder / path) != expected:
            raise ValueError(f"{folder / path}: was changed since the run was written; {again}")


def _files(folder: Path) -> Iterator[PurePosixPath]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_file() and inside.parts[0] not in (PICTURES, SUMS):
            yield PurePosixPath(inside.as_posix())
