"""Checks of triples and names that are given as arrays and lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def count_and_names(what: str, given: int | Sequence[str]) -> tuple[int, Sequence[str] | None]:
    """Return how many entities or relations there are, and their names if these are given."""
    if isinstance(given, (int, np.integer)):
        return int(given), None
    names = tuple(given)
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if first.setdefault(name, index) != index:
            raise ValueError(
                f"{what}: found the name {name!r} at {first[name]} and at {index}, expected each "
                "once"
            )
    return len(names), names


def triple_array(split: str, rows: ArrayLike | None) -> NDArray[np.int64]:
    """Return the triples of a split as Int["n 3"]; None is a split without any."""
    array: NDArray[Any] = np.empty((0, 3), np.int64) if rows is None else np.asarray(rows)
    if array.size == 0:
        array = np.empty((0, 3), np.int64)
    if array.ndim != 2 or array.shape[1] != 3:
        raise ValueError(
            f"{split}: found an array of shape {array.shape}, expected rows of (head, relation, "
            "tail): [n, 3]"
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"{split}: found ids of type {array.dtype}, expected integers")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{split}: found an id of {array.max()}, expected one that fits int64")
    return np.ascontiguousarray(array, np.int64)
