"""The parts of a recipe: names with settings beside them, looked up and checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

Part = str | Mapping[str, Any]
"""A name, or ``{"name": …}`` with settings beside it."""


def divide(what: str, given: Part) -> tuple[str, dict[str, Any]]:
    """Return name and settings of a part, ``what`` it is."""
    settings = {"name": given} if isinstance(given, str) else dict(given)
    if not isinstance(settings.get("name"), str):
        raise ValueError(f"recipe: {what} is {given!r}, expected a name, or {{'name': …}}")
    return settings.pop("name"), settings


def check_known(what: str, name: str, registry: Collection[str], where: str = "") -> None:
    """Raise ``ValueError`` unless ``name`` is registered."""
    if name not in registry:
        known = ", ".join(map(repr, registry))
        raise ValueError(f"recipe: {what} is {name!r}, expected one of {known}{where}")


def make_part(
    what: str, name: str, registry: Mapping[str, Any], settings: dict[str, Any], where: str = ""
) -> Any:
    """Return the registered thing called ``name``, made with ``settings``."""
    check_known(what, name, registry, where)
    check_fitting(f"{what} {name!r}", registry[name], settings)
    return registry[name](**settings)


def check_fitting(what: str, kind: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` unless ``settings`` are arguments of ``kind``."""
    signature = inspect.signature(kind)
    try:
        signature.bind(**settings)
    except TypeError as error:
        raise ValueError(
            f"recipe: {what}: {error}; it takes {', '.join(signature.parameters)}"
        ) from None
