"""The settings of a row that may be searched, and a row with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from comparison.table_rows import FOLDER, Row, slug, write_row
from lbmkgc_models.runs import search_space
from lbmkgc_models.runs.search_space import Range, SearchSpace, without
from openke.runs.places import put
from openke.runtime.json_text import read_json_file, through_json

__all__ = [
    "SPACES",
    "Range",
    "SearchSpace",
    "has_space",
    "read_space",
    "settings_outside",
    "take",
    "value_at",
]
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


def has_space(name: str, folder: Path = SPACES) -> bool:
    """Return whether a row's settings can be searched."""
    return (folder / f"{slug(name)}.json").is_file()


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


def take(row: Row, values: Mapping[str, Any], trials: int, folder: Path = FOLDER) -> Path:
    """Write a row's file with other values at some places, and return the file.

    Settings that the file does not name stay unnamed; a file that is missing gets the row's recipe.
    """
    path = folder / row.dataset / f"{row.stem}.json"
    recipe = read_json_file(path)["recipe"] if path.is_file() else row.recipe.to_dict()
    for place, value in values.items():
        put(recipe, place, value)
    source = (
        f"found here: the best by MRR on valid of {trials} trials of one seed, each of at most "
        f"{row.recipe.training.epochs} epochs (results/tune/{row.dataset}/{row.stem}.csv), of "
        f"which the first had these: {row.source}"
    )
    write_row(path, source, recipe)
    return path
