"""Triples by name from the formats people have: a table, N-Triples, a PyKEEN factory."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

NamedTriple = tuple[str, str, str]
"""head, relation, tail"""

TRIPLES = "numeric_triples.tsv.gz"
"""What a folder written by PyKEEN's ``TriplesFactory.to_path_binary`` holds, with the labels."""
LABELS = ("entity_to_id.tsv.gz", "relation_to_id.tsv.gz")


def read_named(source: Any, format: str = "auto", literals: bool = False) -> list[NamedTriple]:
    """Return the triples of a file, a folder or a factory, in their order.

    Parameters
    ----------
    source
        A path, or an object with ``mapped_triples``, ``entity_to_id`` and ``relation_to_id``, as
        PyKEEN's TriplesFactory has them.
    format
        One of :data:`FORMATS`; "auto" goes by the file's name, and takes a table for what it does
        not know.
    literals
        Keep N-Triples whose object is a literal; else they are left out.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    ValueError
        A malformed line, as ``file:line: found X, expected Y``; an unknown format.
    ImportError
        N-Triples without the package rdflib.
    """
    if not isinstance(source, (str, PathLike)):
        return list(from_factory(source))
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder of triples")
    if format == "auto":
        format = guess(path)
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}, expected one of auto, {', '.join(FORMATS)}")
    return list(FORMATS[format](path, literals))


def guess(path: Path) -> str:
    """Return the format that a path's name stands for."""
    if path.is_dir():
        return "pykeen"
    return "ntriples" if path.name.removesuffix(".gz").endswith(".nt") else "tsv"


def read_tsv(path: Path, literals: bool = False) -> Iterator[NamedTriple]:
    """Yield the lines head, relation, tail of a table with tabs; empty lines are passed over."""
    with _open(path) as lines:
        for number, line in enumerate(_text(path, lines), start=1):
            text = line.rstrip("\r\n")
            if not text.strip():
                continue
            fields = [field.strip() for field in text.split("\t")]
            if len(fields) != 3 or not all(fields):
                raise ValueError(
                    f"{path}:{number}: found {text!r}, expected three names with tabs between "
                    "them: head, relation, tail"
                )
            yield fields[0], fields[1], fields[2]


def read_ntriples(path: Path, literals: bool = False) -> Iterator[NamedTriple]:
    """Yield RDF N-Triples, terms as they are written there: ``<address>``, ``_:node``, ``"text"``.

    Needs the package rdflib. Blank nodes keep the names they have in the file.
    """
    try:
        from rdflib.exceptions import ParserError
        from rdflib.plugins.parsers.ntriples import W3CNTriplesParser
        from rdflib.term import Literal
    except ImportError as error:
        raise ImportError(
            f"{path}: reading N-Triples needs the package rdflib: pip install openke-lbmkgc[rdf]"
        ) from error
    found: Any = _Found()
    names: Any = _SameNames()
    parser = W3CNTriplesParser(sink=found, bnode_context=names)
    with _open(path) as lines:
        for number, line in enumerate(_text(path, lines), start=1):
            try:
                parser.parsestring(line)
            except ParserError as error:
                raise ValueError(
                    f"{path}:{number}: found {line.strip()!r}, expected an N-Triple: <subject> "
                    "<predicate> <object> ."
                ) from error
            for subject, predicate, object_ in found.take():
                if not isinstance(object_, Literal):
                    yield subject.n3(), predicate.n3(), object_.n3()
                elif literals:
                    yield subject.n3(), predicate.n3(), _quoted(object_)


def read_pykeen(path: Path, literals: bool = False) -> Iterator[NamedTriple]:
    """Yield the triples of a folder that PyKEEN's ``TriplesFactory.to_path_binary`` wrote."""
    missing = [name for name in (TRIPLES, *LABELS) if not (path / name).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{path}: lacks {', '.join(missing)}; expected a folder that PyKEEN's "
            "TriplesFactory.to_path_binary wrote"
        )
    entities, relations = (
        {row["id"]: row["label"] for row in _table(path / name, ("id", "label"))} for name in LABELS
    )
    columns = ("head", "relation", "tail")
    for number, row in enumerate(_table(path / TRIPLES, columns), start=2):
        try:
            yield entities[row["head"]], relations[row["relation"]], entities[row["tail"]]
        except KeyError as error:
            raise ValueError(
                f"{path / TRIPLES}:{number}: found the id {error}, which has no label"
            ) from error


def from_factory(factory: Any) -> Iterator[NamedTriple]:
    """Yield the triples of a PyKEEN TriplesFactory, or of anything with the same three parts."""
    parts = ("mapped_triples", "entity_to_id", "relation_to_id")
    missing = [part for part in parts if not hasattr(factory, part)]
    if missing:
        raise ValueError(
            f"found {type(factory).__name__} without {', '.join(missing)}, expected a path or a "
            "TriplesFactory of PyKEEN with labels"
        )
    entities = {index: name for name, index in factory.entity_to_id.items()}
    relations = {index: name for name, index in factory.relation_to_id.items()}
    for head, relation, tail in factory.mapped_triples.tolist():
        yield entities[head], relations[relation], entities[tail]


FORMATS: dict[str, Callable[[Path, bool], Iterator[NamedTriple]]] = {
    "tsv": read_tsv,
    "ntriples": read_ntriples,
    "pykeen": read_pykeen,
}
"""Readers by the name of their format."""


_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r", "\t": r"\t"})


def _quoted(literal: Any) -> str:
    """Return a literal as N-Triples write it, on one line."""
    text = f'"{str(literal).translate(_ESCAPES)}"'
    if literal.language:
        return f"{text}@{literal.language}"
    return f"{text}^^{literal.datatype.n3()}" if literal.datatype else text


class _Found:
    """Where the parser of N-Triples leaves what it finds."""

    def __init__(self) -> None:
        self.triples: list[tuple[Any, Any, Any]] = []

    def triple(self, subject: Any, predicate: Any, object_: Any) -> None:
        self.triples.append((subject, predicate, object_))

    def take(self) -> list[tuple[Any, Any, Any]]:
        taken, self.triples = self.triples, []
        return taken


class _SameNames(dict[str, str]):
    """Names blank nodes as the file does; the parser would give them names by chance."""

    def get(self, key: str, default: Any = None) -> Any:
        return key


def _open(path: Path) -> TextIO:
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _text(path: Path, lines: TextIO) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: found bytes that are not UTF-8 ({error})") from error


def _table(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with _open(path) as lines:
        reader = csv.DictReader(_text(path, lines), delimiter="\t")
        if not set(columns) <= set(reader.fieldnames or ()):
            raise ValueError(
                f"{path}:1: found the columns {', '.join(reader.fieldnames or ())}, expected "
                f"{', '.join(columns)}"
            )
        yield from reader
