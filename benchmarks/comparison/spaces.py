"""The settings of a row that may be searched, and a row with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna

from comparison.table_rows import FOLDER, Row, slug
from openke.module.settings import configure
from openke.runtime.files import read_text
from openke.runtime.json_text import read_json, through_json

SPACES = FOLDER / "spaces"


@dataclass(frozen=True, kw_only=True)
class Range:
    """Values that one setting may take: some ``choices``, or all from ``low`` to ``high``."""

    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    log: bool = False
    """Draw orders of magnitude evenly, not numbers."""

    def __post_init__(self) -> None:
        """Check the values."""
        if bool(self.choices) == (self.low is not None and self.high is not None):
            raise ValueError("expected either choices, or low and high")

    def draw(self, trial: optuna.Trial, name: str) -> Any:
        """Return the value that a trial takes."""
        if self.choices:
            return trial.suggest_categorical(name, self.choices)
        assert self.low is not None
        assert self.high is not None
        return trial.suggest_float(name, self.low, self.high, log=self.log)


SearchSpace = Mapping[str, Range]
"""Ranges by the place of a setting in a recipe, such as "training.penalty.weight"."""


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
    text = read_text(path)
    try:
        content = read_json(text)
        return {place: configure(Range, place, given) for place, given in content.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: {error}") from error


def value_at(row: Row, place: str) -> Any:
    """Return what a row's recipe has at a place; None where it has nothing."""
    found: Any = row.recipe.to_dict()
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def settings_outside(row: Row, space: SearchSpace) -> dict[str, Any]:
    """Return the settings of a row without those that are searched."""
    found: dict[str, Any] = through_json(row.settings())
    for place in space:
        *above, last = place.split(".")
        inside = found["recipe"]
        for name in above:
            inside = inside.get(name) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            inside.pop(last, None)
    return found


def with_values(row: Row, values: Mapping[str, Any]) -> Row:
    """Return a row whose recipe has other values at some places, see :meth:`Recipe.changed`."""
    return replace(row, recipe=row.recipe.changed(values))
