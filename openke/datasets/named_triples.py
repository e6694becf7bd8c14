"""Triples by name from what people have: tables of any kind, RDF, a PyKEEN factory."""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from openke.datasets.rdf import RDF_KINDS, read_rdf
from openke.datasets.table_files import FILES, format_of, open_text, text_lines
from openke.datasets.tables import BadRows, Columns, Table, read_table, text_of, too_many
from openke.runtime.files import is_there

NamedTriple = tuple[str, str, str]
"""head, relation, tail"""

ROLES: dict[str, tuple[str, ...]] = {
    "head": ("head", "subject", "source", "from", "subj", "src", "h", "s"),
    "relation": ("relation", "predicate", "property", "edge", "rel", "pred", "type", "r", "p"),
    "tail": ("tail", "object", "target", "to", "obj", "dst", "t", "o"),
}
"""Columns of a table of triples, and how a header may call them."""
NEEDED = tuple((role,) for role in ROLES)
NO_TRIPLE = "rows without head, relation and tail"
TRIPLES = "numeric_triples.tsv.gz"
"""What a folder written by PyKEEN's ``TriplesFactory.to_path_binary`` holds, with the labels."""
LABELS = ("entity_to_id.tsv.gz", "relation_to_id.tsv.gz")
FACTORY = ("mapped_triples", "entity_to_id", "relation_to_id")
"""Parts of a factory in memory."""
FORMATS = (*FILES, "ntriples", "turtle", "pykeen")


@dataclass
class Places:
    """Where the triples of a table stand, in their order.

    Attributes
    ----------
    table
        The table; None where the triples are of none.
    numbers
        Of their rows.
    """

    table: Table | None = None
    numbers: array[int] = field(default_factory=lambda: array("q"))

    def of(self, triple: int, otherwise: str) -> str:
        """Return where a triple stands; ``otherwise`` where rows have no numbers."""
        return otherwise if self.table is None else self.table.place(self.numbers[triple])


def read_named(
    source: Any,
    format: str = "auto",
    literals: bool = False,
    *,
    delimiter: str = "",
    columns: Columns | None = None,
    bad: BadRows | None = None,
    header: bool | None = None,
    places: Places | None = None,
) -> Iterator[NamedTriple]:
    """Yield the triples of a file, a folder, a factory or a table in memory, in their order.

    Parameters
    ----------
    source
        A path; an object with ``mapped_triples``, ``entity_to_id`` and ``relation_to_id``, as
        PyKEEN's TriplesFactory has them; or a table in memory, see :func:`.read_table`.
    format
        One of :data:`FORMATS`; "auto" goes by the file's name, and takes a table with tabs for what
        it does not know.
    literals
        Keep triples of RDF whose object is a literal; else they are left out.
    delimiter, columns
        See :func:`.read_table`.
    bad
        What becomes of a row that is no triple; by default it is an error.
    header
        See :func:`.read_table`.
    places
        To which is added where each triple of a table stands.

    Raises
    ------
    FileNotFoundError
        There is no such file or folder.
    ValueError
        A malformed line, as ``file:line: found X, expected Y``; an unknown format.
    ImportError
        RDF or Parquet without the package that reads it.
    """
    if format not in ("auto", *FORMATS):
        raise ValueError(f"format is {format!r}, expected one of auto, {', '.join(FORMATS)}")
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if not path.is_dir() and not is_there(path):
            raise FileNotFoundError(f"{path}: no such file or folder of triples")
        kind = guess(path) if format == "auto" else format
        if kind == "pykeen":
            return read_pykeen(path)
        if kind in RDF_KINDS:
            return read_rdf(path, kind, literals, bad)
        format = kind
    elif any(hasattr(source, part) for part in FACTORY):
        return from_factory(source)
    if isinstance(source, Mapping) and not source:
        raise ValueError(f"found {source!r}, expected a path, a table or a TriplesFactory")
    bad = bad or BadRows()
    table, columns_at = read_table(
        source,
        ROLES,
        NEEDED,
        format=format,
        delimiter=delimiter,
        columns=columns,
        called="the triples",
        header=header,
        notes=bad.notes,
    )
    shape = format if table.in_file else ""
    return from_table(table, [columns_at[role] for role in ROLES], bad, shape, places)


def guess(path: Path) -> str:
    """Return the format that a path's name stands for."""
    if path.is_dir():
        return "pykeen"
    name = path.name.removesuffix(".gz")
    return {".nt": "ntriples", ".ttl": "turtle"}.get(Path(name).suffix.lower()) or format_of(path)


def from_table(
    table: Table,
    columns: Sequence[int],
    bad: BadRows,
    format: str = "",
    places: Places | None = None,
) -> Iterator[NamedTriple]:
    """Yield the rows of a table as triples."""
    places = places or Places()
    places.table, numbers = table, places.numbers
    at_head, at_relation, at_tail = columns
    least = max(columns) + 1
    exact = 3 if table.names is None else len(table.names)
    headless = table.names is None
    for number, row in table.rows:
        width = len(row)
        if table.names is not None and width > exact:
            bad.refuse(table.place(number), too_many(row, exact), "rows with too many fields")
            continue
        if width < least or (table.names is None and width != exact):
            bad.refuse(table.place(number), _expected(row, format, table.delimiter), NO_TRIPLE)
            continue
        head, relation, tail = (
            text_of(row[at_head]),
            text_of(row[at_relation]),
            text_of(row[at_tail]),
        )
        if not (head and relation and tail):
            bad.refuse(table.place(number), _expected(row, format, table.delimiter), NO_TRIPLE)
        elif not (head.isprintable() and relation.isprintable() and tail.isprintable()) and (
            wrong := next((name for name in (head, relation, tail) if not is_name(name)), None)
        ):
            bad.refuse(table.place(number), not_a_name(wrong), "rows with what is no name")
        else:
            if headless:
                bad.headless.append((table.source, (head, relation, tail)))
                headless = False
            numbers.append(number)
            yield head, relation, tail


def is_name(name: str) -> bool:
    """Return whether OpenKE's files can hold a name, which they have to a line."""
    return bool(name.strip()) and name == name.strip() and not set(name) & set("\t\n\r\0")


def not_a_name(name: str) -> str:
    """Return the message for what is no name."""
    return (
        f"found the name {name!r}, expected one without tabs and line breaks, and without blanks "
        "at its ends: OpenKE's files have a name to a line"
    )


def _expected(row: Sequence[Any], format: str, delimiter: str) -> str:
    if delimiter:
        return (
            f"found {delimiter.join(map(str, row))!r}, expected three names with the delimiter "
            f"{delimiter!r} between them: head, relation, tail"
        )
    if format in ("tsv", "auto"):
        found = "\t".join(map(str, row))
        hint = "" if "," not in found else "; --format csv reads commas"
        return (
            f"found {found!r}, expected three names with tabs between them: head, relation, "
            f"tail{hint}"
        )
    return f"found {list(row)!r}, expected three names: head, relation, tail"


def read_pykeen(path: Path) -> Iterator[NamedTriple]:
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
    missing = [part for part in FACTORY if not hasattr(factory, part)]
    if missing:
        raise ValueError(
            f"found {type(factory).__name__} without {', '.join(missing)}, expected a path, a "
            "table or a TriplesFactory of PyKEEN with labels"
        )
    entities = {index: name for name, index in factory.entity_to_id.items()}
    relations = {index: name for name, index in factory.relation_to_id.items()}
    for head, relation, tail in factory.mapped_triples.tolist():
        yield entities[head], relations[relation], entities[tail]


def _table(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with open_text(path) as lines:
        reader = csv.DictReader(text_lines(path, lines), delimiter="\t")
        if not set(columns) <= set(reader.fieldnames or ()):
            raise ValueError(
                f"{path}:1: found the columns {', '.join(reader.fieldnames or ())}, expected "
                f"{', '.join(columns)}"
            )
        yield from reader
