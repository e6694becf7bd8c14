"""Checks of what loaders are asked for."""

from __future__ import annotations

import numpy as np


def check_whole(name: str, value: object) -> None:
    """Raise ``ValueError`` unless ``value`` is a whole number."""
    if not isinstance(value, int | np.integer):
        raise ValueError(f"{name} is {value!r}, expected a whole number")


def check_one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise ``ValueError`` unless ``value`` is among ``known``."""
    if value not in known:
        raise ValueError(f"{name} is {value!r}, expected one of {', '.join(map(repr, known))}")


def check_seed(seed: int) -> int:
    """Return the seed if it fits 64 bits without a sign."""
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed is {seed}, expected 0 to {2**64 - 1}")
    return int(seed)
