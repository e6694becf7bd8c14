"""How many candidates beat and how many tie the right answer: what every rank metric needs."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openke import _native
from openke.data.store import SPLITS, Slot, Split, TripleStore, slot_code, split_mask

FILE = "type_constrain.txt"


class TypeConstraint:
    """Which entities each relation admits as head and as tail.

    Made by :meth:`of`, :meth:`from_store` or :meth:`read`.

    Attributes
    ----------
    source : str
        The splits or the file it was made from.
    """

    def __init__(self, handle: _native.Handle, source: str) -> None:
        self._handle = handle
        self.source = source

    @classmethod
    def of(cls, store: TripleStore) -> TypeConstraint:
        """Return the constraint evaluations use: the data set's file, else all its splits.

        Published files were made from all splits, so figures do not depend on whether a copy of
        the data set comes with its file.
        """
        folder = store.directory
        if folder is not None and (folder / FILE).is_file():
            return cls.read(store)
        return cls.from_store(store)

    @classmethod
    def from_store(cls, store: TripleStore, splits: Sequence[Split] = SPLITS) -> TypeConstraint:
        """Admit the entities that the splits have with the relation in that slot."""
        mask = split_mask(splits)
        return cls(
            _native.Handle("constraint_from_store", store.pointer, mask, free="constraint_free"),
            ", ".join(splits),
        )

    @classmethod
    def read(cls, store: TripleStore, path: str | PathLike[str] | None = None) -> TypeConstraint:
        """Read OpenKE's ``type_constrain.txt``, from the store's folder unless told otherwise.

        A count of relations, then for each two lines ``relation n id … id``: heads, then tails.

        Raises
        ------
        FileNotFoundError
            There is no such file; :meth:`from_store` needs none.
        ValueError
            A malformed file, as ``file:line: found X, expected Y``.
        """
        if path is None:
            if store.directory is None:
                raise ValueError(
                    "found a store in memory, expected a path: it has no folder to hold "
                    "type_constrain.txt"
                )
            path = store.directory / FILE
        encoded = _native.path_bytes(str(path))
        return cls(
            _native.Handle("constraint_read", store.pointer, encoded, free="constraint_free"),
            str(path),
        )

    @property
    def pointer(self) -> int | None:
        """Address of the core's constraint, valid as long as this object."""
        return self._handle.pointer

    def allowed(self, slot: Slot, relation: int) -> NDArray[np.int64]:
        """Return the sorted entities that a relation admits in a slot, Int["n"]."""
        count = _native.Int64()
        query = (self.pointer, slot_code(slot), relation)
        _native.call("constraint_allowed", *query, None, _native.reference(count))
        out = np.empty(count.value, np.int64)
        _native.call(
            "constraint_allowed", *query, _native.address(out, np.int64), _native.reference(count)
        )
        return out


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
