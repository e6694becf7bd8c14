"""Tables in memory as numbered rows: frames, tables of Arrow, mappings, arrays, rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from openke.datasets.table_files import HEAD, Rows, by_name, names_of

PART = 10_000
"""Rows of a frame that are taken at a time."""


def read_memory(source: Any, called: str) -> tuple[list[str] | None, Rows]:
    """Return column names, if there are such, and rows of an object in memory."""
    if hasattr(source, "collect"):  # polars: what is not computed yet
        source = source.collect()
    if isinstance(source, Mapping):
        return _of_columns(source, called)
    if hasattr(source, "column_names"):  # Arrow
        names = list(source.column_names)
        return names, _zipped([_streamed(source.column(name)) for name in names])
    if hasattr(source, "columns") and hasattr(source, "__getitem__"):  # pandas, polars
        rows = _zipped([_streamed(source[name]) for name in source.columns])
        if all(isinstance(name, int) for name in source.columns):  # pandas: rows without a header
            return None, rows
        return [str(name) for name in source.columns], rows
    if hasattr(source, "__arrow_c_stream__"):
        try:
            import pyarrow
        except ImportError as error:
            raise ImportError(
                f"{called}: reading {type(source).__name__} needs the package pyarrow: "
                "pip install 'openke-lbmkgc[tables]'"
            ) from error
        return read_memory(pyarrow.table(source), called)
    if hasattr(source, "tolist"):  # an array
        source = source.tolist()
    if not isinstance(source, Iterable):
        raise ValueError(
            f"{called}: found {type(source).__name__}, expected a path, a frame, a table of Arrow, "
            "an array, or rows"
        )
    return _of_rows(iter(source), called)


def _of_columns(source: Mapping[str, Any], called: str) -> tuple[list[str], Rows]:
    columns = {str(name): _listed(values) for name, values in source.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"{called}: columns of unlike lengths: {said}")
    return list(columns), _zipped(list(columns.values()))


def iter_once(source: Any) -> bool:
    """Return whether what is in memory can be gone through only once."""
    return isinstance(source, Iterator)


def _streamed(column: Any) -> Iterator[Any]:
    """Yield the values of a column, a part at a time: there are not two copies of long texts."""
    if not hasattr(column, "__len__"):
        yield from _listed(column)
        return
    rows = getattr(column, "iloc", column)  # pandas goes by labels otherwise
    for begin in range(0, len(column), PART):
        part = rows[begin : begin + PART]
        yield from part.to_pylist() if hasattr(part, "to_pylist") else _listed(part)


def _listed(values: Any) -> list[Any]:
    for method in ("to_list", "tolist"):
        if hasattr(values, method):
            found: list[Any] = getattr(values, method)()
            return found
    return list(values)


def _zipped(columns: Sequence[Iterable[Any]]) -> Rows:
    return iter(enumerate(zip(*columns, strict=True), start=1))


def _of_rows(source: Iterator[Any], called: str) -> tuple[list[str] | None, Rows]:
    head = list(islice(source, HEAD))
    rows = chain(head, source)
    if head and isinstance(head[0], Mapping):
        names = names_of(head)
        return names, _of_mappings(rows, names, called)
    return None, _of_sequences(next(rows, None), rows, called)


def _of_mappings(rows: Iterator[Any], names: Sequence[str], called: str) -> Rows:
    for number, row in enumerate(rows, start=1):
        yield number, by_name(row, names, f"{called}, row {number}")


def _of_sequences(first: Any, rest: Iterator[Any], called: str) -> Rows:
    for number, row in enumerate([] if first is None else [first, *rest], start=1):
        if isinstance(row, str) or not hasattr(row, "__len__"):
            raise ValueError(f"{called}, row {number}: found {row!r}, expected a row of values")
        yield number, row
