"""Places of settings in a recipe's JSON, such as "training.penalty.weight"."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def places(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each place and what is there, a section before what is in it."""
    for name, inside in content.items():
        yield above + name, inside
        if isinstance(inside, Mapping):
            yield from places(inside, f"{above}{name}.")


def put(content: dict[str, Any], place: str, value: Any) -> None:
    """Set the value at a place; sections above it that are missing are made.

    Raises
    ------
    ValueError
        A place below something that is no object.
    """
    *above, last = place.split(".")
    inside: Any = content
    for name in above:
        below = inside.get(name)
        if below is None:  # no part yet: one without a name is refused by the recipe
            below = inside[name] = {}
        if isinstance(below, str):  # a part without settings is its name alone
            below = inside[name] = {"name": below}
        if not isinstance(below, dict):
            raise ValueError(f"{place}: {name} is {below!r} in the recipe, and has no {last}")
        inside = below
    inside[last] = value
