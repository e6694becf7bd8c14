"""Rows that differ from one of the bundled graph in what is compared, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparison.table_rows import BUNDLED, FOLDER, TUNED, Row, read_row, slug

PAPERS_LBMKGC = "LBMKGC in the paper's form"
"""What Table 2 is of: the paper's interaction, gate and objective; no row of Table 1."""
PAPERS_SETTINGS = Path("table2", f"LBMKGC.{TUNED}.json")
"""Where its settings are."""


def variant(
    base: str,
    name: str,
    changes: Mapping[str, Any],
    settings: Path = FOLDER,
    graph: str = BUNDLED,
) -> Row:
    """Return a row on a graph with the settings of ``base``, but for changes by place.

    ``base`` is a row of the bundled graph in Table 1, or LBMKGC in the paper's form.
    """
    own = Path(BUNDLED, f"{slug(base)}.{TUNED}.json")
    row = read_row(settings / (PAPERS_SETTINGS if base == PAPERS_LBMKGC else own), graph)
    return replace(
        row,
        name=name,
        recipe=row.recipe.changed(changes),
        source=f"those of {base}; nothing was chosen anew but the epochs",
    )
