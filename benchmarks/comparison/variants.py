"""Rows that differ from one of the bundled graph in what is compared, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparison.table_rows import BUNDLED, FOLDER, TUNED, Row, read_row, slug


def variant(
    base: str,
    name: str,
    changes: Mapping[str, Any],
    settings: Path = FOLDER,
    graph: str = BUNDLED,
) -> Row:
    """Return a row on a graph with the settings that ``base`` has on the bundled one.

    But for changes by place in its recipe.
    """
    row = read_row(settings / BUNDLED / f"{slug(base)}.{TUNED}.json", graph)
    return replace(
        row,
        name=name,
        recipe=row.recipe.changed(changes),
        source=f"those of {base}; nothing was chosen anew but the epochs",
    )
