"""The parts of a recipe: names with settings beside them, looked up and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from openke.runtime.names import check_known
from openke.runtime.values import check_arguments, check_value

Part = Annotated[str | Mapping[str, Any], "a name, or {'name': …}"]
"""A name, or ``{"name": …}`` with settings beside it."""


def divide(place: str, given: Part, known: Collection[str] = ()) -> tuple[str, dict[str, Any]]:
    """Return name and settings of the part at a place; the message has the ``known`` names."""
    check_value(place, given, Part)
    settings = {"name": given} if isinstance(given, str) else dict(given)
    if "name" not in settings:
        names = f" as one of {', '.join(map(repr, known))}" if known else ""
        raise ValueError(f"{place} is {given!r}, which has no name; give {place}.name{names}")
    check_value(f"{place}.name", settings["name"], str)
    return settings.pop("name"), settings


def make_part(
    place: str, name: str, registry: Mapping[str, Any], settings: dict[str, Any], where: str = ""
) -> Any:
    """Return the registered thing called ``name``, made with ``settings``."""
    check_known(place, name, registry, where)
    check_arguments(place, settings, registry[name], owner=f"{place} {name!r}")
    return registry[name](**settings)
