"""Settings dataclasses: made from keywords, checked, and written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, TypeVar

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Settings of what has none."""


def configure(
    config: type[Config], owner: str, given: dict[str, Any], values: Sequence[Any] = ()
) -> Config:
    """Return ``config(**given)``; an unknown name is an error that lists the known ones.

    ``values`` are the first fields in their order, for callers that do not name them.

    Raises
    ------
    ValueError
        A name in ``given`` is no field of ``config``, a field is given twice, or there are more
        ``values`` than fields.
    """
    known = [field.name for field in fields(config)]  # type: ignore[arg-type]
    knows = f"it knows {', '.join(known) or 'none'}"
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise ValueError(f"{owner} has no setting {', '.join(map(repr, unknown))}; {knows}")
    if len(values) > len(known):
        raise ValueError(f"{owner} got {len(values)} settings by position; {knows}")
    positional = dict(zip(known, values, strict=False))
    twice = [name for name in positional if name in given]
    if twice:
        raise ValueError(f"{owner} got {', '.join(twice)} twice, by position and by name")
    return config(**positional, **given)


def at_least(owner: str, name: str, value: float, least: float) -> None:
    """Raise ``ValueError`` unless ``value`` is a number of at least ``least``."""
    check_number(owner, name, value)
    if not value >= least:
        raise ValueError(f"{owner}: {name} is {value}, expected at least {least}")


def check_scale(owner: str, init_scale: float | None) -> None:
    """Raise ``ValueError`` unless ``init_scale`` is None or a positive number."""
    if init_scale is None:
        return
    check_number(owner, "init_scale", init_scale)
    if not init_scale > 0:
        raise ValueError(f"{owner}: init_scale is {init_scale}, expected more than 0")


def check_share(owner: str, name: str, value: float) -> None:
    """Raise ``ValueError`` unless ``value`` is a share, from 0 to below 1."""
    check_number(owner, name, value)
    if not 0 <= value < 1:
        raise ValueError(f"{owner}: {name} is {value}, expected a share from 0 to below 1")


def check_number(owner: str, name: str, value: Any) -> None:
    """Raise ``ValueError`` unless ``value`` is a real number."""
    if not isinstance(value, Real):
        raise ValueError(f"{owner}: {name} is {value!r}, expected a number")
