"""The settings of a row that may be searched, and a row with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparison.table_rows import FOLDER, Row, slug
from lbmkgc_models.runs import search_space
from lbmkgc_models.runs.search_space import Range, SearchSpace, without
from openke.runtime.json_text import through_json

__all__ = ["SPACES", "Range", "SearchSpace", "read_space", "settings_outside", "value_at"]
SPACES = FOLDER / "spaces"


def read_space(name: str, folder: Path = SPACES) -> SearchSpace:
    """Read the space of a row, settings/spaces/NAME.json.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file; something in it that is no range.
    """
    path = folder / f"{slug(name)}.json"
    if not path.is_file():
        known = ", ".join(sorted(found.stem.replace("_", " ") for found in folder.glob("*.json")))
        raise FileNotFoundError(f"{path} is missing; there are spaces of {known or 'nothing'}")
    return search_space.read_space(path)


def value_at(row: Row, place: str) -> Any:
    """Return what a row's recipe has at a place; None where it has nothing."""
    return search_space.value_at(row.recipe, place)


def settings_outside(row: Row, space: SearchSpace) -> dict[str, Any]:
    """Return the settings of a row without those that are searched."""
    found: dict[str, Any] = through_json(row.settings())
    return {**found, "recipe": without(row.recipe, space)}


def with_values(row: Row, values: Mapping[str, Any]) -> Row:
    """Return a row whose recipe has other values at some places, see :meth:`Recipe.changed`."""
    return replace(row, recipe=row.recipe.changed(values))
