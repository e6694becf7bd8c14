"""Settings dataclasses: made from keywords, checked, and written as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from openke.runtime.values import check_arguments, check_value

Config = TypeVar("Config")


@dataclass(frozen=True, kw_only=True)
class NoSettings:
    """Settings of what has none."""


def configure(
    config: type[Config], owner: str, given: Mapping[str, Any], values: Sequence[Any] = ()
) -> Config:
    """Return ``config(**given)``, checked by the types of its fields.

    ``values`` are the first fields in their order, for callers that do not name them.

    Raises
    ------
    ValueError
        A name in ``given`` is no field of ``config``, a value is not of its field's type, a field
        is given twice, or there are more ``values`` than fields.
    """
    check_value(owner, given, Mapping)
    known = [field.name for field in fields(config)]  # type: ignore[arg-type]
    if len(values) > len(known):
        raise ValueError(
            f"{owner} got {len(values)} settings by position; it knows {', '.join(known) or 'none'}"
        )
    positional = dict(zip(known, values, strict=False))
    twice = [name for name in positional if name in given]
    if twice:
        raise ValueError(f"{owner} got {', '.join(twice)} twice, by position and by name")
    settings = {**positional, **given}
    check_arguments(owner, settings, config)
    return config(**settings)
