"""What a search may change: values by the place of a setting in a recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lbmkgc_models.runs.make_model import check_model, config_of
from openke.module.settings import configure
from openke.runs.recipe import READERS, Recipe
from openke.runtime.files import is_there, read_text
from openke.runtime.json_text import through_json
from openke.runtime.values import check_value

if TYPE_CHECKING:
    import optuna

CHOICE = bool | int | float | str
"""What Optuna keeps as it is."""


@dataclass(frozen=True, kw_only=True)
class Range:
    """Values that one setting may take: some ``choices``, or all from ``low`` to ``high``."""

    choices: Sequence[Any] = ()
    low: float | None = None
    high: float | None = None
    """Two whole numbers, written without a point, are a range of whole numbers."""
    log: bool = False
    """Draw orders of magnitude evenly, not numbers."""

    def __post_init__(self) -> None:
        """Check the values."""
        low, high = self.low, self.high
        bounded = low is not None and high is not None
        if bool(self.choices) == bounded or (self.choices and (low, high) != (None, None)):
            raise ValueError("expected either choices, or low and high")
        for choice in self.choices:
            if not isinstance(choice, CHOICE):
                raise ValueError(f"choices has {choice!r}; expected numbers, texts, true or false")
        if low is None or high is None:
            return
        if low > high:
            raise ValueError(f"low is {low}, which is above high, {high}")
        if self.log and low <= 0:
            raise ValueError(f"low is {low}; with log it must be above 0")

    @property
    def ends(self) -> tuple[Any, ...]:
        """All choices, or the least and the greatest value."""
        return tuple(self.choices) or (self.low, self.high)

    def holds(self, value: Any) -> bool:
        """Return whether a trial may take a value."""
        if self.choices:
            return value in self.choices
        low, high = self.ends
        return isinstance(value, int | float) and bool(low <= value <= high)

    def draw(self, trial: optuna.trial.BaseTrial, name: str) -> Any:
        """Return the value that a trial takes."""
        if self.choices:
            return trial.suggest_categorical(name, tuple(self.choices))
        low, high = self.ends
        if isinstance(low, int) and isinstance(high, int):
            return trial.suggest_int(name, low, high, log=self.log)
        return trial.suggest_float(name, low, high, log=self.log)


SearchSpace = Mapping[str, Range]
"""Ranges by the place of a setting in a recipe, such as "training.penalty.weight"."""


def read_space(path: Path) -> SearchSpace:
    """Read a space from a ``.json`` or ``.toml`` file.

    A place is one name with points in it, or sections inside one another.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file; something in it that is no range: names file, place and value.
    """
    if not is_there(path):
        raise FileNotFoundError(f"{path}: no such file of a search space")
    if path.suffix not in READERS:
        endings = " or ".join(READERS)
        raise ValueError(f"{path}: no search space, expected a file that ends in {endings}")
    text = read_text(path)
    try:
        content = READERS[path.suffix](text)
        check_value("its content", content, Mapping)
        found = {place: _range(place, given) for place, given in _ranges(content)}
        if not found:
            raise ValueError("no setting is searched; give places with their values")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    return found


def _ranges(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each place and what it has; what holds nothing but sections is one itself."""
    for name, given in content.items():
        inside = isinstance(given, Mapping) and given
        if inside and all(isinstance(value, Mapping) for value in given.values()):
            yield from _ranges(given, f"{above}{name}.")
        else:
            yield above + name, given


def _range(place: str, given: Any) -> Range:
    # What does not fit one field is named with its place; what does not fit together is not.
    try:
        return configure(Range, place, given)
    except ValueError as error:
        named = str(error).startswith(place)
        raise ValueError(str(error) if named else f"{place}: {error}") from error


def check_space(recipe: Recipe, space: SearchSpace, where: object) -> None:
    """Raise ``ValueError`` where a recipe cannot have one of the values.

    Parameters
    ----------
    recipe
        What is changed.
    space
        Values by place; of a range both ends are tried.
    where
        What the message begins with, such as the file of the space.
    """
    for place, values in space.items():
        for value in values.ends:
            try:
                check_model(recipe.changed({place: value}))
            except ValueError as error:
                raise ValueError(f"{where}: {place} = {value!r}: {error}") from error


def value_at(recipe: Recipe, place: str) -> Any:
    """Return what a recipe, or its model's ``Config``, has at a place; None where it is nothing."""
    found: Any = recipe.to_dict()
    for name in place.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return _default(recipe, place) if found is None else found


def without(recipe: Recipe, space: SearchSpace) -> dict[str, Any]:
    """Return a recipe as JSON values, less what is searched."""
    found: dict[str, Any] = through_json(recipe.to_dict())
    for place in space:
        *above, last = place.split(".")
        inside: Any = found
        for name in above:
            inside = inside.get(name) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            inside.pop(last, None)
    return found


def _default(recipe: Recipe, place: str) -> Any:
    section, _, name = place.partition(".")
    config = config_of(recipe.model_name)
    if section != "model" or config is None:
        return None
    defaults = {each.name: each.default for each in fields(config)}
    found = defaults.get(name)
    return None if found is MISSING else found
