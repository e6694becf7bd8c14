"""A table with a title, in any of tabulate's formats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tabulate import tabulate


class Table(NamedTuple):
    """A title, cells, and what a reader has to know of them."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    """Stands between title and cells."""

    def text(self, style: str) -> str:
        """Return it in one of tabulate's formats."""
        columns = ("left",) + ("right",) * (len(self.header) - 1)
        return tabulate(
            self.rows, self.header, tablefmt=style, disable_numparse=True, colalign=columns
        )


def in_latex(table: Table) -> str:
    """Return a table below comments with its title and note."""
    said = "\n".join(f"% {line}" for line in filter(None, [table.title, table.note]))
    return f"{said}\n{table.text('latex_booktabs')}"


def in_markdown(tables: Sequence[Table]) -> str:
    """Return tables below their titles and notes."""
    parts = []
    for table in tables:
        parts += [f"## {table.title}", *filter(None, [table.note]), table.text("github")]
    return "\n\n".join(parts)
