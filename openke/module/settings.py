"""Settings dataclasses: made from keywords, checked, and written as JSON."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

Config = TypeVar("Config")


def configure(config: type[Config], owner: str, given: dict[str, Any]) -> Config:
    """Return ``config(**given)``; an unknown name is an error that lists the known ones.

    Raises
    ------
    ValueError
        A name in ``given`` is no field of ``config``.
    """
    known = [field.name for field in fields(config)]  # type: ignore[arg-type]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(
            f"{owner} has no setting {', '.join(map(repr, unknown))}; it knows {', '.join(known)}"
        )
    return config(**given)


def at_least(owner: str, name: str, value: float, least: float) -> None:
    """Raise ``ValueError`` unless ``value`` is at least ``least``."""
    if not value >= least:
        raise ValueError(f"{owner}: {name} is {value}, expected at least {least}")
