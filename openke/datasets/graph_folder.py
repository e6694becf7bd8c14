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
from openke.runtime.files import is_there, read_text, sha256_of, write_text, write_whole
from openke.runtime.folders import draft_of
from openke.runtime.json_text import read_json

MANIFEST = "import.json"
"""What an import wrote into its folder, with checksums."""
MAKER = "openke import"
READ_WITH = ("*2id*.txt", "?-?.txt", "type_con*.txt")
"""What else a folder in OpenKE's format may have that belongs to its triples."""
LABELS, PICTURES, SKIPPED = "labels.tsv", "pictures", "skipped.tsv"


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
    """Write all files beside ``out``, read them back, and only then give them their place.

    Raises
    ------
    FileExistsError
        ``out`` has other files that the new data set would be read with, or in the place of.
    """
    with draft_of(out) as draft:
        folder = draft / out.name  # what it is called is what messages say
        write_names(folder / "entity2id.txt", content.entities)
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
        files = [file for file in folder.rglob("*") if file.is_file()]
        write_text(folder / MANIFEST, _manifest(folder, files))
        _clear(out, {file.relative_to(folder).parts[0] for file in files})
        out.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.replace(out / file.name)


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


def _clear(out: Path, written: set[str]) -> None:
    """Remove what an earlier import wrote into a folder, and nothing else.

    Raises
    ------
    FileExistsError
        There are other files that the new data set would be read with, or in the place of.
    """
    if not out.exists():
        return
    mine = _written(out)
    foreign = sorted(
        path.relative_to(out).as_posix()
        for pattern in (*READ_WITH, MANIFEST, *sorted(written - {PICTURES}))
        for path in out.glob(pattern)
        if path.name not in mine
    )
    foreign += sorted(
        path.relative_to(out).as_posix()
        for path in (out / PICTURES).rglob("*")
        if PICTURES in written
        and not path.is_dir()
        and path.relative_to(out).as_posix() not in mine
    )
    foreign = list(dict.fromkeys(foreign))
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
    """Return the files of a folder that are as an earlier import wrote them, its own among them."""
    if not is_there(out / MANIFEST):
        return []
    try:
        manifest = read_json(read_text(out / MANIFEST))
        if manifest["made by"] != MAKER:
            return []
        listed = manifest["sha256"].items()
        return [MANIFEST, *(name for name, digest in listed if _is_file(out, name, digest))]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _is_file(out: Path, name: str, digest: str) -> bool:
    parts = PurePosixPath(name).parts
    inside = len(parts) == 1 or parts[0] == PICTURES  # no path leaves the folder
    if not inside or ".." in parts or name != "/".join(parts) or "\\" in name:
        return False
    path = out / name
    return path.is_file() and sha256_of(path) == digest
