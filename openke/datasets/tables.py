"""Tables of any origin, a file or an object in memory, as rows that know where they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

from openke.datasets.memory_tables import read_memory
from openke.datasets.table_files import FILES, Rows, format_of
from openke.runtime.files import is_there
from openke.runtime.names import did_you_mean

Columns = Mapping[str, str]
"""Role of a column -> its name, where its name does not say it."""
Roles = Mapping[str, Sequence[str]]
"""Role of a column -> names, in lower case, by which a header is known."""


NO_HEADER = "--header no (header=False) takes it for a fact"
MOST_LISTED = 100_000
"""Of a kind are listed; further ones are counted."""
SHOWN = 3
"""Of a kind are shown in a summary."""


class BadRows:
    """What becomes of rows that do not fit: the first is an error, or all are left out and listed.

    Parameters
    ----------
    skip
        Leave them out.
    way_out
        How whoever gets the error asks for that.
    """

    def __init__(self, skip: bool = False, way_out: str = "") -> None:
        self.skip = skip
        self.way_out = way_out
        self.listed: list[tuple[str, str]] = []
        """Place and reason of each, of a kind the first :data:`MOST_LISTED`."""
        self.first: dict[str, list[tuple[str, str]]] = {}
        """By kind the first few of these."""
        self.counts: Counter[str] = Counter()
        """By kind how many there are."""
        self.notes: list[str] = []
        """What was decided where a file may mean one thing or another."""
        self.headless: list[tuple[str, tuple[str, str, str]]] = []
        """Tables of triples without a header, and the first row of each."""

    def refuse(self, place: str, reason: str, kind: str, *, what: str = "rows") -> None:
        """List a row, or raise ``ValueError``; ``kind`` is what such rows are, for a summary.

        ``what`` is what of them is left out.
        """
        if not self.skip:
            way_out = f"; {self.way_out} leaves such {what} out" if self.way_out else ""
            raise ValueError(f"{place}: {reason}{way_out}")
        self.leave_out(place, reason, kind)

    def leave_out(self, place: str, reason: str, kind: str) -> None:
        """List what is left out in any case."""
        self.counts[kind] += 1
        if self.counts[kind] > MOST_LISTED:
            return
        said = place, " ".join(reason.split())
        self.listed.append(said)
        first = self.first.setdefault(kind, [])
        if len(first) < SHOWN:
            first.append(said)

    def summary(self) -> list[str]:
        """Return lines with the kinds, the most frequent first, and the first few of each."""
        lines = []
        for kind, count in self.counts.most_common():
            lines.append(f"{kind}: {count:,}")
            lines += [f"  {place}: {reason}" for place, reason in self.first[kind]]
        return lines


@dataclass(frozen=True)
class Table:
    """Rows, and where they are from.

    Attributes
    ----------
    source
        A path, or what an object in memory is called.
    names
        Of the columns; None where there is no header.
    rows
        Number and values of each row: the line of a file, or the row of an object, from 1 on.
    in_file
        Whether numbers are lines of a file.
    delimiter
        Between the fields of a line, where one was given.
    """

    source: str
    names: Sequence[str] | None
    rows: Rows
    in_file: bool
    delimiter: str = ""

    def place(self, number: int) -> str:
        """Return where a row stands."""
        return f"{self.source}:{number}" if self.in_file else f"{self.source}, row {number}"


def read_table(
    source: Any,
    roles: Roles,
    needed: Sequence[Sequence[str]],
    *,
    format: str = "auto",
    delimiter: str = "",
    columns: Columns | None = None,
    called: str = "table",
    header: bool | None = None,
    notes: list[str] | None = None,
) -> tuple[Table, dict[str, int]]:
    """Return a table and the place of the column of each role, counted from 0.

    Where there is no header, columns are taken in the order of ``roles``.

    Parameters
    ----------
    source
        A path; or rows in memory: a frame of pandas or polars, a table of Arrow or anything with
        ``__arrow_c_stream__`` (these want the package pyarrow), a mapping of columns, an array, or
        an iterable of sequences or mappings.
    roles
        The columns that are looked for.
    needed
        Of each of these groups one role at least must be there.
    format
        See :data:`.FILES`; "auto" goes by the name of the file.
    delimiter
        Between the fields of a line; by default found.
    columns
        Names of columns, where they are not those of ``roles``. The file then has a header.
    called
        What an object in memory is called in messages.
    header
        Whether the first row has names of columns, where the format does not say; None finds out.
    notes
        To which a sentence is added where that is doubtful.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        No such file; a column that there is not; a package that is missing.
    """
    columns = columns or {}
    if unknown := [role for role in columns if role not in roles]:
        raise ValueError(
            f"columns: {unknown[0]!r} is no column that is looked for"
            f"{did_you_mean(unknown[0], roles)}, expected {', '.join(roles)}"
        )
    if isinstance(source, (str, PathLike)):
        path = Path(source)
        if not is_there(path):
            raise FileNotFoundError(f"{path}: no such file")
        kind = format_of(path) if format == "auto" else format
        read = FILES[kind](path, delimiter)
        table = Table(str(path), read.names, read.rows, True, delimiter)
        headed = read.headed
    else:
        table = Table(called, *read_memory(source, called), False)
        headed = table.names is not None
    first: tuple[int, Sequence[Any]] | None = None
    names = table.names
    if not headed:
        first = next(table.rows, None)
        if first is not None and header is None:
            header = _is_header(first[1], roles, needed, columns)
            doubtful = header and not columns and _is_doubtful(first[1], roles, needed)
            if doubtful and notes is not None:
                said = ", ".join(map(str, first[1]))
                notes.append(
                    f"{table.source}: the first row, {said}, was taken for a header; {NO_HEADER}"
                )
        if first is not None and header:
            names, first = [str(value).strip() for value in first[1]], None
    rows = table.rows if first is None else _chained(first, table.rows)
    found = replace(table, names=names, rows=rows)
    return found, _places(found, roles, needed, columns, None if first is None else len(first[1]))


def text_of(value: Any) -> str:
    """Return a value as text without blanks around it; "" where there is none.

    What a column nests, such as a list, is none: its parts have no place in a row.
    """
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, list | tuple | dict | set | bytes):
        return ""
    if isinstance(value, float) and value.is_integer():  # pandas has ids so, where some are missing
        return str(int(value))
    try:  # NaN and NA stand for what is missing in frames: one does not equal itself, ...
        there = bool(value == value)
    except (TypeError, ValueError):  # ... and the other refuses to say
        return ""
    return str(value).strip() if there else ""


def too_many(row: Sequence[Any], columns: int) -> str:
    """Return the message for a row with more fields than there are columns."""
    return (
        f"found {len(row)} fields, {str(list(row))[:200]}, expected {columns}: put a field that "
        "holds the delimiter in double quotes"
    )


def _chained(first: tuple[int, Sequence[Any]], rows: Rows) -> Rows:
    yield first
    yield from rows


def _is_header(
    row: Sequence[Any], roles: Roles, needed: Sequence[Sequence[str]], columns: Columns
) -> bool:
    if columns:
        return True
    found = {str(value).strip().casefold() for value in row}
    known = [any(found & set(roles[role]) for role in group) for group in needed]
    if all(known):
        return True
    found = {name for name in found if len(name) > 1}  # letters may be names of entities
    known = [any(found & set(roles[role]) for role in group) for group in needed]
    if sum(known) >= 2 and len(row) >= len(needed):
        role = needed[known.index(False)][0]
        raise ValueError(
            f"the first row, {', '.join(map(str, row))[:80]!r}, looks like a header, but no column "
            f"of it is known as {role} ({', '.join(roles[role])}): say which one is, by --columns "
            f"{role}=NAME, or in Python columns={{{role!r}: NAME}}"
        )
    return False


def _is_doubtful(row: Sequence[Any], roles: Roles, needed: Sequence[Sequence[str]]) -> bool:
    """Return whether a header has nothing but letters, which entities may be called, too."""
    found = {str(value).strip().casefold() for value in row}
    return not any(
        len(name) > 1 for group in needed for role in group for name in found & set(roles[role])
    )


def _places(
    table: Table,
    roles: Roles,
    needed: Sequence[Sequence[str]],
    columns: Columns,
    width: int | None,
) -> dict[str, int]:
    if table.names is None:
        if width is not None and width > len(needed):
            wanted = " ".join(f"{group[0]}=NAME" for group in needed)
            raise ValueError(
                f"{table.place(1)}: found {width} columns and no header that names "
                f"{', '.join(' or '.join(group) for group in needed)}; expected {len(needed)} "
                f"columns, or a header and --columns {wanted}"
            )
        return {group[0]: place for place, group in enumerate(needed)}
    folded = [name.casefold() for name in table.names]
    found: dict[str, int] = {}
    for role, name in columns.items():
        if name not in table.names:
            raise ValueError(
                f"{table.source}: no column {name!r}{did_you_mean(name, table.names)}, found "
                f"{', '.join(table.names)}"
            )
        found[role] = list(table.names).index(name)
    for role, known in roles.items():
        places = [folded.index(name) for name in known if name in folded]
        free = [place for place in places if place not in found.values()]
        if role not in found and free:
            found[role] = free[0]
    for group in needed:
        if not any(role in found for role in group):
            raise ValueError(
                f"{table.source}: found the columns {', '.join(table.names)}, none of which is "
                f"{' or '.join(group)}: name it with --columns {group[0]}=NAME "
                f"(columns={{{group[0]!r}: NAME}})"
            )
    return found
