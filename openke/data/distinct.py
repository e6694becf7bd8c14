"""Distinct ids of a batch, found without sorting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from openke import _native


def find_distinct(
    ids: NDArray[np.int64], bound: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct ids in increasing order and where each id stands among them.

    Parameters
    ----------
    ids : Int["n"]
        Ids from 0 to ``bound - 1``.
    bound
        Number of ids there are.

    Returns
    -------
    Int["u"], Int["n"]

    Raises
    ------
    ValueError
        An id out of range.
    """
    ids = np.ascontiguousarray(ids, np.int64)
    distinct = np.empty(min(len(ids), max(bound, 0)), np.int64)
    index = np.empty(len(ids), np.int64)
    count = _native.Int64()
    _native.call(
        "distinct",
        _native.address(ids, np.int64),
        len(ids),
        bound,
        _native.address(distinct, np.int64, writable=True),
        _native.address(index, np.int64, writable=True),
        _native.reference(count),
    )
    return distinct[: count.value], index
