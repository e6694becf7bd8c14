"""What a setting may be is said by its type, bounds included, and checked strictly here."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import numpy as np

from openke.runtime.names import did_you_mean


class Bound(NamedTuple):
    """What a number must be besides being one; metadata of its type."""

    text: str
    holds: Callable[[float], bool]


Count = Annotated[int, Bound(", 1 or more", lambda number: number >= 1)]
Natural = Annotated[int, Bound(", 0 or more", lambda number: number >= 0)]
Share = Annotated[float, Bound(" from 0 to below 1", lambda number: 0 <= number < 1)]
Fraction = Annotated[float, Bound(" from 0 to 1", lambda number: 0 <= number <= 1)]
Weight = Annotated[float, Bound(", 0 or more", lambda number: number >= 0)]
Positive = Annotated[float, Bound(" above 0", lambda number: number > 0)]
Inside = Annotated[float, Bound(" between 0 and 1", lambda number: 0 < number < 1)]
Port = Annotated[int, Bound(" from 0 to 65535", lambda number: 0 <= number <= 65535)]
LARGEST_RATE = 1000.0
"""Of learning rates: a step of any optimiser here is then longer than all that a model learns, and
what comes out is no model, though its loss may stay a number."""
LearningRate = Annotated[
    float,
    Bound(f" above 0, at most {LARGEST_RATE:g}", lambda number: 0 < number <= LARGEST_RATE),
]

WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    NoneType: "null",
    Mapping: "settings by name",
    Sequence: "a list",
}


def check_value(place: str, value: Any, kind: Any) -> None:
    """Raise ``ValueError`` unless ``value`` is of a type.

    True is no number, 1.5 no whole one, 0 not false; a whole number is a number, infinity is none.

    Parameters
    ----------
    place
        What the message calls the value, such as ``training.epochs``.
    kind
        A type as annotations have it: :data:`Count` and the like, a ``Literal``, a union. A text
        among the metadata of an ``Annotated`` is what the message expects. Classes that are not in
        :data:`WORDS` are checked by ``isinstance``, other types not at all.
    """
    if not _fits(value, kind):
        bits = " of at most 64 bits" if isinstance(value, Integral) and not _is_held(value) else ""
        raise ValueError(f"{place} is {value!r}; expected {_expected(kind)}{bits}")


def check_arguments(
    place: str,
    given: Mapping[str, Any],
    taker: Callable[..., Any],
    *,
    owner: str = "",
    but: Collection[str] = (),
) -> None:
    """Raise ``ValueError`` unless a function or class takes the settings ``given``.

    Parameters
    ----------
    place
        Where the settings stand: a setting is called ``PLACE.NAME``; "": at the top.
    given
        Values by name.
    taker
        A dataclass, or what is called with the settings.
    owner
        What has no unknown setting; by default the place.
    but
        Parameters that are no settings.
    """
    owner = owner or place
    inside = f"{place}." if place else ""
    known, needed, more = _parameters(taker, but)
    unknown = [] if more else [name for name in given if name not in known]
    if unknown:
        raise ValueError(
            f"{owner} has no setting {', '.join(map(repr, unknown))}"
            f"{did_you_mean(unknown[0], known)}; it knows {', '.join(known) or 'none'}"
        )
    types = _types(taker)
    for name, value in given.items():
        check_value(inside + name, value, types.get(name, Any))
    for name in needed:
        if name not in given:
            raise ValueError(f"{owner} has no {name}; give {inside}{name}")


def _parameters(
    taker: Callable[..., Any], but: Collection[str]
) -> tuple[list[str], list[str], bool]:
    """Return names of parameters, those without a default, and whether others are taken too."""
    if is_dataclass(taker):
        found = [field for field in fields(taker) if field.init and field.name not in but]
        free = (MISSING, MISSING)
        needed = [f.name for f in found if (f.default, f.default_factory) == free]
        return [field.name for field in found], needed, False
    kinds = inspect.Parameter
    parameters = inspect.signature(taker).parameters.values()
    by_name = (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    named = [p for p in parameters if p.kind in by_name and p.name not in but]
    needed = [p.name for p in named if p.default is kinds.empty]
    return [p.name for p in named], needed, any(p.kind is kinds.VAR_KEYWORD for p in parameters)


def _types(taker: Callable[..., Any]) -> dict[str, Any]:
    """Return the types of fields or parameters; nothing where they cannot be known."""
    is_plain_class = isinstance(taker, type) and not is_dataclass(taker)
    try:
        return get_type_hints(taker.__init__ if is_plain_class else taker, include_extras=True)
    except (NameError, TypeError):  # another package's, with names that only its type checker sees
        return {}


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        bounds = [each for each in inner[1:] if isinstance(each, Bound)]
        return _fits(value, inner[0]) and all(bound.holds(value) for bound in bounds)
    if origin is Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if origin in (Union, UnionType):
        return any(_fits(value, each) for each in inner)
    if kind in (int, float):
        number = isinstance(value, Integral if kind is int else Real)
        if not number or isinstance(value, bool | np.bool_):
            return False
        return _is_held(value) if isinstance(value, Integral) else math.isfinite(value)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    if origin is Sequence:
        return isinstance(value, list | tuple) and all(_fits(each, *inner) for each in value)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)
    # Python 3.10 takes list[int] for a type, which isinstance refuses.
    plain = origin is None and kind is not Any and isinstance(kind, type)
    return isinstance(value, kind) if plain else True


def _is_held(value: Integral) -> bool:
    """Whether a whole number has 64 bits at most, which is what files and the core hold."""
    return -(2**63) <= int(value) < 2**64


def _expected(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        called = next((each for each in inner[1:] if isinstance(each, str)), None)
        bounds = [each.text for each in inner[1:] if isinstance(each, Bound)]
        return called or "".join([_expected(inner[0]), *bounds])
    if origin is Literal:
        return f"one of {', '.join(map(repr, inner))}"
    if origin in (Union, UnionType):
        return ", or ".join(map(_expected, inner))
    found = origin or kind
    return WORDS.get(found, getattr(found, "__name__", str(found)))
