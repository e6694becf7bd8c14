"""How many candidates beat and how many tie the right answer: what every rank metric needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openke import _native
from openke.data.codes import slot_code, split_mask
from openke.data.store import SPLITS, Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint


def count_better(
    store: TripleStore,
    slot: Slot,
    scores: NDArray[np.float32],
    *,
    row: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    target: ArrayLike,
    splits: Sequence[Split] = SPLITS,
    constraint: TypeConstraint | None = None,
    threads: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Count the candidates that score greater than, and equal to, the answer of each query.

    Neither count has the answer itself, nor other answers known in ``splits``, nor what
    ``constraint`` does not admit. So a rank is ``greater + 1`` (optimistic),
    ``greater + equal + 1`` (pessimistic), or their mean (realistic).

    Parameters
    ----------
    slot
        What is asked for: ``"head"`` of (tail, relation), ``"relation"`` of (head, tail),
        ``"tail"`` of (head, relation).
    scores : Float32["rows candidates"]
        Scores of every entity, or every relation; higher is better.
    row : Int["n"]
        The row of ``scores`` that belongs to each query.
    first, second : Int["n"]
        The two ids each query gives, in that order.
    target : Int["n"]
        The answers to be ranked.
    splits
        Where known answers are left out; ``()`` for raw ranks.
    threads
        0 means all processors; the counts do not depend on it.

    Returns
    -------
    greater, equal : Int["n"]

    Raises
    ------
    ValueError
        A NaN score, an id out of range, arrays of other shapes or types, a constraint of another
        store.
    """
    candidates = store.relation_count if slot == "relation" else store.entity_count
    if scores.ndim != 2 or scores.shape[1] != candidates:
        raise ValueError(
            f"found scores of shape {scores.shape}, expected [rows, {candidates}]: one for each "
            f"{'relation' if slot == 'relation' else 'entity'}"
        )
    arrays = {"row": row, "first": first, "second": second, "target": target}
    queries = [_ids(name, values) for name, values in arrays.items()]
    sizes = {len(ids) for ids in queries}
    if len(sizes) != 1:
        found = ", ".join(
            f"{len(ids)} of {name}" for name, ids in zip(arrays, queries, strict=True)
        )
        raise ValueError(f"found {found}, expected as many of each")
    n = sizes.pop()
    greater, equal = np.empty(n, np.int64), np.empty(n, np.int64)
    _native.call(
        "rank",
        store.pointer,
        slot_code(slot),
        split_mask(splits),
        None if constraint is None else constraint.pointer,
        _native.address(scores, np.float32),
        len(scores),
        *(_native.address(ids, np.int64) for ids in queries),
        n,
        threads,
        _native.address(greater, np.int64, writable=True),
        _native.address(equal, np.int64, writable=True),
    )
    return greater, equal


def _ids(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and not np.issubdtype(array.dtype, np.integer)):
        raise ValueError(
            f"found {name} of shape {array.shape} and type {array.dtype}, expected whole numbers "
            "of shape [n]"
        )
    return np.ascontiguousarray(array, np.int64)
