"""What is answered as a table: columns by name, which every package of frames takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tabulate import tabulate

SHOWN = 50
"""Rows that are printed."""


class ResultTable(dict[str, list[Any]]):
    """Columns by name, all of one length.

    ``pandas.DataFrame(table)``, ``polars.DataFrame(table)`` and ``pyarrow.table(table)`` take it as
    it is.
    """

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.values()), []))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row as a mapping of column to value."""
        for values in zip(*self.values(), strict=True):
            yield dict(zip(self, values, strict=True))

    def to_pandas(self) -> Any:
        """Return a frame of pandas, which has to be installed.

        Raises
        ------
        ImportError
            It is not.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError(
                "to_pandas needs the package pandas: pip install 'openke-lbmkgc[tables]'"
            ) from error
        return pandas.DataFrame(dict(self))

    def __str__(self) -> str:
        """Return the first rows for a terminal."""
        rows = [["" if v is None else v for v in row.values()] for row in self.rows()]
        text = tabulate(rows[:SHOWN], list(self), floatfmt=".4f")
        return text + (f"\n… {len(rows):,} rows" if len(rows) > SHOWN else "")

    __repr__ = __str__
