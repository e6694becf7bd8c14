"""Any graph as a data set in OpenKE's format: ``openke import``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from openke.data.store import SPLITS, Split, TripleStore
from openke.datasets.named_triples import NamedTriple, read_named
from openke.runtime.files import write_text
from openke.runtime.words import counted

MANIFEST = "import.json"
"""What an import wrote into its folder, with checksums."""
MAKER = "openke import"
READ_WITH = ("*2id*.txt", "?-?.txt", "type_con*.txt")
"""What else a folder in OpenKE's format may have that belongs to its triples."""
ImportFormat = Literal["auto", "tsv", "ntriples", "pykeen"]


@dataclass(frozen=True, kw_only=True)
class Division:
    """How triples that come in one piece are divided.

    Attributes
    ----------
    valid, test
        Shares of the distinct triples. Fewer are taken where more would leave an entity or a
        relation out of train.
    seed
        Of the choice.
    """

    valid: float = 0.1
    test: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the shares."""
        if not (self.valid >= 0 and self.test >= 0 and self.valid + self.test < 1):
            raise ValueError(
                f"shares of {self.valid} for valid and {self.test} for test: expected none below 0 "
                "and a sum below 1, the rest is train"
            )


def import_graph(
    source: Any,
    out: Path,
    division: Division | None = None,
    *,
    format: str = "auto",
    literals: bool = False,
    overwrite: bool = False,
) -> TripleStore:
    """Write a graph as a folder in OpenKE's format and open it.

    Ids follow the order in which names first occur, train before valid before test.

    Parameters
    ----------
    source
        A path or a factory as in :func:`.read_named`, divided by
        ``division``; or a mapping of "train", "valid", "test" to such sources, taken as they are.
    out
        The folder to make.
    division
        Shares and seed; by default a tenth each for valid and test.
    format, literals
        See :func:`.read_named`.
    overwrite
        Replace the data set that an earlier import left in ``out``; other files there stay.

    Raises
    ------
    FileExistsError
        ``out`` holds something already; or, to be overwritten, files of a data set that no import
        wrote.
    FileNotFoundError, ValueError, ImportError
        A source cannot be read, holds no triples, or a name does not fit OpenKE's format.
    """
    out = Path(out)
    if out.exists() and not overwrite and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f"{out} is there already: name another folder, or give --overwrite (overwrite=True)"
        )
    if isinstance(source, Mapping):
        unknown = sorted(set(source) - set(SPLITS))
        if unknown or "train" not in source:
            raise ValueError(
                f"found the splits {', '.join(source) or 'none'}, expected train and, if there are "
                "such, valid and test"
            )
        named = {split: read_named(source[split], format, literals) for split in source}
        numbered = Numbered.of(named[split] for split in SPLITS if split in named)
        rows = dict(zip([s for s in SPLITS if s in named], numbered.rows, strict=True))
    else:
        numbered = Numbered.of([read_named(source, format, literals)])
        rows = _divide(numbered, division or Division())
    if not len(rows["train"]):
        raise ValueError(f"{source if isinstance(source, (str, Path)) else 'train'}: no triples")
    _write(out, numbered, rows)
    return TripleStore.open(out)


@dataclass(frozen=True)
class Numbered:
    """Triples by number, Int["n 3"] for each part, and the names in the order of numbers."""

    entities: Sequence[str]
    relations: Sequence[str]
    rows: Sequence[NDArray[np.int64]]

    @classmethod
    def of(cls, parts: Iterable[Sequence[NamedTriple]]) -> Numbered:
        """Give names numbers in the order in which they first occur."""
        entities: dict[str, int] = {}
        relations: dict[str, int] = {}
        rows = []
        for part in parts:
            ids = [
                (
                    entities.setdefault(head, len(entities)),
                    relations.setdefault(relation, len(relations)),
                    entities.setdefault(tail, len(entities)),
                )
                for head, relation, tail in part
            ]
            rows.append(np.array(ids, np.int64).reshape(-1, 3))
        return cls(list(entities), list(relations), rows)


def _divide(numbered: Numbered, division: Division) -> dict[Split, NDArray[np.int64]]:
    (everything,) = numbered.rows
    if not len(everything):
        return {"train": everything}
    sizes = {"entities": len(numbered.entities), "relations": len(numbered.relations)}
    rest = TripleStore.from_triples(everything, **sizes)
    total = len(rest.triples("train"))
    taken: dict[Split, NDArray[np.int64]] = {}
    shares: dict[Split, float] = {"test": division.test, "valid": division.valid}
    for number, (split, share) in enumerate(shares.items()):
        wanted = int(share * total + 1e-9)
        train = rest.triples("train")
        if wanted:
            # Half a triple more, so that rounding down gives what is wanted.
            divided = rest.hold_out((wanted + 0.5) / len(train), (division.seed + number) % 2**64)
            taken[split], train = divided.triples("valid"), divided.triples("train")
        rest = TripleStore.from_triples(train, **sizes)
    return {"train": rest.triples("train"), **taken}


def _write(out: Path, numbered: Numbered, rows: Mapping[Split, NDArray[np.int64]]) -> None:
    """Write all files beside ``out``, read them back, and only then give them their place."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temporary:
        folder = Path(temporary) / out.name
        named = {"entity": numbered.entities, "relation": numbered.relations}
        for kind, names in named.items():
            _check_names(names)
            lines = [f"{name}\t{i}" for i, name in enumerate(names)]
            write_text(folder / f"{kind}2id.txt", "\n".join([str(len(lines)), *lines]) + "\n")
        for split in SPLITS:
            triples = rows.get(split, np.empty((0, 3), np.int64))
            lines = [f"{head} {tail} {relation}" for head, relation, tail in triples.tolist()]
            write_text(folder / f"{split}2id.txt", "\n".join([str(len(lines)), *lines]) + "\n")
        read = TripleStore.open(folder)
        assert read.entity_names == numbered.entities
        assert read.relation_names == numbered.relations
        write_text(folder / MANIFEST, _manifest(file for file in folder.iterdir()))
        _clear(out)
        out.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.replace(out / file.name)


def _manifest(files: Iterable[Path]) -> str:
    """Return what says later which files an import wrote."""
    digests = {file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(files)}
    return json.dumps({"made by": MAKER, "sha256": digests}, indent=2) + "\n"


def _clear(out: Path) -> None:
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
        file.name
        for pattern in (*READ_WITH, MANIFEST)
        for file in out.glob(pattern)
        if file.name not in mine
    )
    if foreign:
        raise FileExistsError(
            f"{out} holds {', '.join(foreign[:5])}{', …' if len(foreign) > 5 else ''}, which no "
            "import wrote or somebody changed since: nothing is deleted; move them away, or name "
            "another folder"
        )
    for name in mine:
        (out / name).unlink(missing_ok=True)


def _written(out: Path) -> list[str]:
    """Return the files of a folder that are as an earlier import wrote them, its own among them."""
    try:
        manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
        if manifest["made by"] != MAKER:
            return []
        listed = manifest["sha256"].items()
        return [MANIFEST, *(name for name, digest in listed if _is_file(out, name, digest))]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


def _is_file(out: Path, name: str, digest: str) -> bool:
    if Path(name).name != name:  # no path leaves the folder
        return False
    path = out / name
    return path.is_file() and sha256(path.read_bytes()).hexdigest() == digest


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not name.strip() or name != name.strip() or set(name) & set("\t\n\r\0"):
            raise ValueError(
                f"found the name {name!r}, expected one without tabs and line breaks, and without "
                "blanks at its ends: OpenKE's files have a name to a line"
            )


def command(
    source: Path | None = None,
    /,
    *,
    out: Path,
    train: Path | None = None,
    valid: Path | None = None,
    test: Path | None = None,
    valid_ratio: float = 0.1,
    test_ratio: float = 0.1,
    seed: int = 0,
    format: ImportFormat = "auto",
    literals: bool = False,
    overwrite: bool = False,
) -> None:
    """Turn a table of names, RDF N-Triples or a PyKEEN factory into a data set.

    It can then be trained on by its folder. For example::

        openke import facts.tsv --out data/mine

    Parameters
    ----------
    source
        All triples, to be divided: a file of lines head, relation, tail with tabs between them; a
        file .nt of N-Triples; a folder written by PyKEEN's to_path_binary. Each may be .gz.
    out
        Folder of the data set to make.
    train
        In place of SOURCE: the train split, with --valid and --test if there are such.
    valid
        The valid split.
    test
        The test split.
    valid_ratio
        Share of SOURCE for the valid split; each of its entities and relations is in train too.
    test_ratio
        Share of SOURCE for the test split, likewise.
    seed
        Seed of the division.
    format
        What the files are; auto goes by their names.
    literals
        Keep N-Triples whose object is a literal, as entities.
    overwrite
        Replace a data set that is there.
    """
    given = {"train": train, "valid": valid, "test": test}
    splits = {split: path for split, path in given.items() if path is not None}
    if (source is None) == (train is None) or (source is not None and splits):
        raise ValueError("give either one source to divide, or --train with --valid and --test")
    store = import_graph(
        source if source is not None else splits,
        out,
        Division(valid=valid_ratio, test=test_ratio, seed=seed),
        format=format,
        literals=literals,
        overwrite=overwrite,
    )
    sizes = ", ".join(f"{len(store.triples(split)):,} {split}" for split in SPLITS)
    entities = counted(store.entity_count, "entity")
    print(f"{out}: {entities}, {counted(store.relation_count, 'relation')}; {sizes}")
    print(f"openke audit {out} checks it; python -m openke.tools.n_n {out} adds its categories")
