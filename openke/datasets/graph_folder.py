"""A data set's folder in OpenKE's format: written whole or not at all, and never over others'."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from openke.data.store import SPLITS, Split, TripleStore
from openke.datasets.pictures import folder_name
from openke.runtime.drafts import named_in_place, remove
from openke.runtime.files import is_there, read_text, sha256_of, write_text, write_whole
from openke.runtime.holding import HOLDER, LOCK
from openke.runtime.interruption import Interruption
from openke.runtime.json_text import read_json

MANIFEST = "import.json"
"""What an import wrote into its folder, with checksums."""
MAKER = "openke import"
READ_WITH = ("*2id*.txt", "?-?.txt", "type_con*.txt")
"""What else a folder in OpenKE's format may have that belongs to its triples."""
ENTITIES = "entity2id.txt"
LABELS, PICTURES, SKIPPED = "labels.tsv", "pictures", "skipped.tsv"
LAST = (ENTITIES, MANIFEST)
"""Files that are put in their places after all others, in this order."""
DRAFT, READY = ".import-draft", ".import-ready"
"""In the folder of a data set: what is being written, and what is complete and has no place yet."""


@dataclass(frozen=True)
class Content:
    """What is written: names in the order of ids, triples by id, and what is said of entities."""

    entities: Sequence[str]
    relations: Sequence[str]
    rows: Mapping[Split, NDArray[np.int64]]
    texts: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Label and one-line text by name."""
    pictures: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """Files by name, which are copied."""
    skipped: Sequence[tuple[str, str]] = ()
    """Place and reason of what was left out."""


def write_folder(out: Path, content: Content) -> None:
    """Write all files beside their places, read them back, and only then give them these.

    ``out`` must be held by this process, see :func:`.held`.

    Raises
    ------
    FileExistsError
        ``out`` has other files that the new data set would be read with, or in the place of.
    """
    folder = out / DRAFT / out.resolve().name  # what it is called is what messages say
    try:
        with named_in_place(folder, out):
            folder.mkdir(parents=True)
            _write(folder, content)
        with Interruption() as noted:
            folder.rename(out / READY)
            _place(out)
    except FileExistsError:
        remove(out / READY)
        raise
    finally:
        remove(out / DRAFT)
    if noted.signal is not None:
        noted.leave()


def settle(out: Path) -> None:
    """Bring an import to its end that was killed while it gave its files their places.

    ``out`` must be held by this process. An import that was killed before is cleared away.
    """
    remove(out / DRAFT)
    if (out / READY).is_symlink() or not (out / READY).is_dir():
        remove(out / READY)
    else:
        _place(out)


def is_taken(out: Path) -> bool:
    """Return whether a folder that this process holds has anything else in it."""
    return any(path.name not in (LOCK, HOLDER) for path in out.iterdir())


def _write(folder: Path, content: Content) -> None:
    write_names(folder / ENTITIES, content.entities)
    write_names(folder / "relation2id.txt", content.relations)
    for split in SPLITS:
        write_triples(
            folder / f"{split}2id.txt", content.rows.get(split, np.empty((0, 3), np.int64))
        )
    read = TripleStore.open(folder)
    assert read.entity_names == content.entities
    assert read.relation_names == content.relations
    if content.texts:
        write_whole(folder / LABELS, lambda stream: stream.writelines(_labels(content)))
    if content.skipped:
        lines = "".join(f"{place}\t{reason}\n" for place, reason in content.skipped)
        write_text(folder / SKIPPED, "place\treason\n" + lines)
    for name, files in content.pictures.items():
        own = folder / PICTURES / folder_name(name)
        own.mkdir(parents=True)
        for number, file in enumerate(files, start=1):
            shutil.copyfile(file, own / f"{number:02}{file.suffix.lower()}")
    written = [file for file in folder.rglob("*") if file.is_file()]
    write_text(folder / MANIFEST, _manifest(folder, written))


def _place(out: Path) -> None:
    """Give the files of a complete draft their places, or those that are left of them.

    The names of entities come last but for the manifest, and those of an earlier data set go first:
    nobody reads half of one and half of the other.
    """
    ready = out / READY
    if (ready / MANIFEST).is_file():
        waiting = {path.name for path in ready.iterdir()}
        placed = {name for name in _listed(ready) if name.partition("/")[0] not in waiting}
        _clear(out, waiting, placed)
        for name in sorted(waiting, key=lambda name: LAST.index(name) if name in LAST else -1):
            (ready / name).replace(out / name)
    remove(ready)


def write_names(path: Path, names: Sequence[str]) -> None:
    """Write an ``entity2id.txt`` or ``relation2id.txt``."""
    lines = [f"{name}\t{i}" for i, name in enumerate(names)]
    write_text(path, "\n".join([str(len(lines)), *lines]) + "\n")


def write_triples(path: Path, triples: NDArray[np.int64]) -> None:
    """Write the triples of a split, Int["n 3"], with the tail before the relation."""
    lines = [f"{head} {tail} {relation}" for head, relation, tail in triples.tolist()]
    write_text(path, "\n".join([str(len(lines)), *lines]) + "\n")


def label_line(entity: int, name: str, label: str, text: str) -> str:
    """Return a line of ``labels.tsv``."""
    return f"{entity}\t{name}\t{label}\t{text}\n"


def _labels(content: Content) -> Iterator[bytes]:
    for i, name in enumerate(content.entities):
        if name in content.texts:
            yield label_line(i, name, *content.texts[name]).encode()


def _manifest(folder: Path, files: Iterable[Path]) -> str:
    """Return what says later which files an import wrote."""
    digests = {file.relative_to(folder).as_posix(): sha256_of(file) for file in sorted(files)}
    return json.dumps({"made by": MAKER, "sha256": digests}, indent=2) + "\n"


def _clear(out: Path, waiting: set[str], placed: set[str]) -> None:
    """Remove what an earlier import wrote into a folder, and nothing else.

    Parameters
    ----------
    out
        The folder.
    waiting
        What is to have a place there.
    placed
        What already has.

    Raises
    ------
    FileExistsError
        There are other files that the new data set would be read with, or in the place of.
    """
    mine = _written(out)
    patterns = (*READ_WITH, MANIFEST, *(waiting - {PICTURES}))
    paths = [path for pattern in patterns for path in out.glob(pattern)]
    if PICTURES in waiting:
        paths += [path for path in (out / PICTURES).rglob("*") if not path.is_dir()]
    foreign = sorted({path.relative_to(out).as_posix() for path in paths} - {*mine, *placed})
    if foreign:
        raise FileExistsError(
            f"{out} holds {', '.join(foreign[:5])}{', …' if len(foreign) > 5 else ''}, which no "
            "import wrote or somebody changed since: nothing is deleted; move them away, or name "
            "another folder"
        )
    for name in mine:
        (out / name).unlink(missing_ok=True)
    for folder in sorted((out / PICTURES).rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    if (out / PICTURES).is_dir() and not any((out / PICTURES).iterdir()):
        (out / PICTURES).rmdir()


def _written(out: Path) -> list[str]:
    """Return the files of a folder that are as an earlier import wrote them, its manifest last."""
    listed = _listed(out)
    mine = [name for name, digest in listed.items() if _is_file(out, name, digest)]
    return [*sorted(mine, key=lambda name: name != ENTITIES), *([MANIFEST] if listed else [])]


def _listed(out: Path) -> Mapping[str, str]:
    """Return checksums by the names of files that the manifest of an import has."""
    if not is_there(out / MANIFEST):
        return {}
    try:
        manifest = read_json(read_text(out / MANIFEST))
        return dict(manifest["sha256"]) if manifest["made by"] == MAKER else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def _is_file(out: Path, name: str, digest: str) -> bool:
    parts = PurePosixPath(name).parts
    inside = len(parts) == 1 or parts[0] == PICTURES  # no path leaves the folder
    if not inside or ".." in parts or name != "/".join(parts) or "\\" in name:
        return False
    path = out / name
    return path.is_file() and sha256_of(path) == digest
