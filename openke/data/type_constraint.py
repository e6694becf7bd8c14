"""Which entities a relation admits as head and as tail."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from openke import _native
from openke.data.codes import slot_code, split_mask
from openke.data.store import SPLITS, Slot, Split, TripleStore
from openke.runtime.files import is_there

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
        if folder is not None and is_there(folder / FILE):
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
