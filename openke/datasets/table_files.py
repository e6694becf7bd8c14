"""Files of tables: delimited text, lines of JSON, Parquet; rows stream, and know their line."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

from openke.runtime.files import not_utf8
from openke.runtime.json_text import read_json

Rows = Iterator[tuple[int, Sequence[Any]]]
"""Number, from 1 on, and values of each row."""
DELIMITERS = (",", ";", "\t", "|")
"""Those that are looked for in a .csv file."""
LOOKED_AT = 50
"""Lines by which a delimiter is found."""
HEAD = 1000
"""Rows of named values that are looked at for the names there are."""
LONGEST_FIELD = 2**24
"""Characters of a field or line: texts may be long, and an unclosed quote reads on and on."""


@dataclass(frozen=True)
class FileRows:
    """What a file has: rows, and the names of columns where the format says them."""

    names: Sequence[str] | None
    rows: Rows

    @property
    def headed(self) -> bool:
        """Whether names are said by the format; else the first row may hold them."""
        return self.names is not None


def format_of(path: Path) -> str:
    """Return the format that a file's name stands for; what is not known is lines with tabs."""
    ending = Path(path.name.removesuffix(".gz")).suffix.lower()
    return ENDINGS.get(ending, "tsv")


def read_tsv(path: Path, delimiter: str = "") -> FileRows:
    """Read lines of fields with tabs between them; a quote is a character like any other."""
    return FileRows(None, _split_lines(path, delimiter or "\t"))


def read_csv(path: Path, delimiter: str = "") -> FileRows:
    """Read lines of fields with commas, semicolons, tabs or bars between them.

    A field in double quotes may hold all of these, line breaks, and quotes doubled.
    """
    return FileRows(None, _csv_rows(path, delimiter or find_delimiter(path)))


def read_json_lines(path: Path, delimiter: str = "") -> FileRows:
    """Read a JSON object or list to a line; the first lines say which, and the names of columns."""
    with open_text(path) as stream:
        lines = enumerate(text_lines(path, stream), start=1)
        first = islice(((number, line) for number, line in lines if line.strip()), HEAD)
        head = [_json(path, number, line) for number, line in first]
    named = bool(head) and isinstance(head[0], dict)
    names = names_of([row for row in head if isinstance(row, dict)]) if named else None
    return FileRows(names, _json_rows(path, names))


def names_of(head: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Return the names that the first rows have, in the order of their first appearance."""
    return list(dict.fromkeys(str(name) for row in head for name in row))


def by_name(row: Mapping[Any, Any], names: Sequence[str], place: str) -> list[Any]:
    """Return a row's values; ``ValueError`` where it has one by a name that no first row has."""
    if not row.keys() <= set(names):
        other = next(str(name) for name in row if name not in set(names))
        raise ValueError(
            f"{place}: has {other[:80]!r}, which none of the first {HEAD} rows has; name it there "
            "too, with null where there is nothing"
        )
    return [row.get(name) for name in names]


def read_parquet(path: Path, delimiter: str = "") -> FileRows:
    """Read columns of Apache Parquet, by the package pyarrow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"{path}: reading Parquet needs the package pyarrow: "
            "pip install 'openke-lbmkgc[tables]'"
        ) from error
    try:
        file = parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise ValueError(f"{path}: not a file of Parquet: {error}") from error
    return FileRows(list(file.schema_arrow.names), _parquet_rows(file))


FILES: dict[str, Callable[[Path, str], FileRows]] = {
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
}
"""Readers of tables by the name of their format."""
ENDINGS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def open_text(path: Path, encoding: str = "utf-8-sig") -> TextIO:
    """Open a UTF-8 file, also one that gzip packed; a byte order mark is passed over."""
    if path.name.endswith(".gz"):
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def text_lines(path: Path, lines: TextIO) -> Iterator[str]:
    """Yield lines; ``ValueError`` names file and line where they are not UTF-8, or not packed.

    So it does where one is longer than :data:`LONGEST_FIELD`: a packed file of a megabyte may hold
    one that fills the memory.
    """
    number = 1
    try:
        while line := lines.readline(LONGEST_FIELD + 1):
            if len(line) > LONGEST_FIELD:
                raise ValueError(
                    f"{path}:{number}: a line of more than {LONGEST_FIELD:,} characters, which "
                    f"begins {line[:80]!r}; expected a row to a line"
                )
            yield line
            number += 1
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: not a whole file of gzip: {error}") from error


def _not_utf8(path: Path, error: UnicodeDecodeError) -> ValueError:
    """Return the error that names the line, which is not known where text is decoded in blocks."""
    number = 1
    with open_text(path, "latin-1") as lines:  # each byte a character
        while line := lines.readline(LONGEST_FIELD):
            try:
                line.encode("latin-1").decode("utf-8")
            except UnicodeDecodeError as found:
                return not_utf8(path, number, found)
            number += 1
    return not_utf8(path, number, error)


def find_delimiter(path: Path) -> str:
    """Return what most evenly divides the first lines of a file; a comma where nothing does."""
    with open_text(path) as stream:
        head = [line for line in islice(text_lines(path, stream), LOOKED_AT) if line.strip()]
    best, most = ",", (0.0, 1)
    for delimiter in DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        except csv.Error:
            continue
        width = widths[0] if widths else 1
        even = sum(found == width for found in widths) / max(1, len(widths))
        if width > 1 and (even, width) > most:
            best, most = delimiter, (even, width)
    return best


def _split_lines(path: Path, delimiter: str) -> Rows:
    with open_text(path) as stream:
        for number, line in enumerate(text_lines(path, stream), start=1):
            text = line.rstrip("\r\n")
            if text.strip():
                yield number, text.split(delimiter)


def _csv_rows(path: Path, delimiter: str) -> Rows:
    if len(delimiter) != 1:
        raise ValueError(f"delimiter is {delimiter!r}, expected one character")
    with open_text(path) as stream:
        former = csv.field_size_limit(LONGEST_FIELD)
        try:
            reader = csv.reader(text_lines(path, stream), delimiter=delimiter, strict=True)
            line = 1  # a row begins where the one before it ended
            for row in reader:
                if row:
                    yield line, row
                line = reader.line_num + 1
        except csv.Error as error:
            raise ValueError(
                f"{path}:{line}: not a row of CSV ({error}); a quote within a quoted field is "
                "doubled; --format tsv takes quotes as they are"
            ) from error
        finally:
            csv.field_size_limit(former)


def _json_rows(path: Path, names: Sequence[str] | None) -> Rows:
    with open_text(path) as stream:
        for number, line in enumerate(text_lines(path, stream), start=1):
            if not line.strip():
                continue
            found = _json(path, number, line)
            if isinstance(found, dict) == (names is None):
                kind = "a list" if names is None else "an object"
                raise ValueError(f"{path}:{number}: found {line.strip()[:80]!r}, expected {kind}")
            yield number, found if names is None else by_name(found, names, f"{path}:{number}")


def _json(path: Path, number: int, line: str) -> Any:
    try:
        found = read_json(line)
    except ValueError as error:
        raise ValueError(f"{path}:{number}: not JSON: {error}") from error
    if not isinstance(found, (dict, list)):
        raise ValueError(
            f"{path}:{number}: found {line.strip()[:80]!r}, expected an object or a list"
        )
    return found


def _parquet_rows(file: Any) -> Rows:
    start = 1
    for batch in file.iter_batches():
        columns = [column.to_pylist() for column in batch.columns]
        yield from enumerate(zip(*columns, strict=True), start=start)
        start += batch.num_rows
