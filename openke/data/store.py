"""The triples of a data set, checked, without duplicates, and immutable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from openke import _native
from openke.data.codes import check_split, slot_code, split_mask
from openke.data.options import check_seed
from openke.data.store_arrays import count_and_names, triple_array
from openke.data.store_files import needed_file, optional_file, read_names

Split = Literal["train", "valid", "test"]
Slot = Literal["head", "relation", "tail"]
SPLITS: tuple[Split, ...] = ("train", "valid", "test")

_WAYS_OUT: dict[Split, str] = {
    "train": "give one",
    "valid": "give one, or hold out a part of the train split with hold_out()",
    "test": "give one, such as some rows taken out of the train split, or let 'openke import' "
    "divide a table of triples",
}
"""What to do about an empty split."""


class RelationStatistics(NamedTuple):
    """Shape of each relation in the train split; 0 where it has no triple there.

    Attributes
    ----------
    tails_per_head : Float["r"]
        Mean number of tails per (head, relation) that has any.
    heads_per_tail : Float["r"]
        Mean number of heads per (relation, tail) that has any.
    """

    tails_per_head: NDArray[np.float64]
    heads_per_tail: NDArray[np.float64]


class TripleStore:
    """Train, valid and test triples over entities ``0 … n - 1`` and relations ``0 … r - 1``.

    Made by :meth:`open` or :meth:`from_triples`; nothing changes it afterwards, any number may
    live side by side, and threads may share one.

    Attributes
    ----------
    directory : Path or None
        The folder it was read from.
    name : str
        The folder's name, or ``"memory"``.
    entity_count, relation_count : int
    held_out : (fraction, seed) or None
        How :meth:`hold_out` made the valid split, where it did.
    """

    def __init__(
        self,
        handle: _native.Handle,
        directory: Path | None,
        sources: dict[Split, str],
        names: tuple[Sequence[str] | None, Sequence[str] | None],
        held_out: tuple[float, int] | None = None,
    ) -> None:
        self._handle = handle
        self._sources = sources  # why a split is empty, when it is
        self.directory = directory
        self.name = directory.resolve().name if directory is not None else "memory"
        self.entity_names, self.relation_names = names
        self.held_out = held_out
        counts = _native.Counts()
        _native.call("store_counts", self.pointer, _native.reference(counts))
        self.entity_count = int(counts.entities)
        self.relation_count = int(counts.relations)
        self._rows = dict(zip(SPLITS, map(int, counts.rows), strict=True))
        self._sizes = dict(zip(SPLITS, map(int, counts.triples), strict=True))
        self._triples: dict[Split, NDArray[np.int64]] = {}

    @classmethod
    def open(
        cls,
        directory: str | PathLike[str],
        *,
        train_file: str | PathLike[str] | None = None,
        valid_file: str | PathLike[str] | None = None,
        test_file: str | PathLike[str] | None = None,
        entity_file: str | PathLike[str] | None = None,
        relation_file: str | PathLike[str] | None = None,
    ) -> TripleStore:
        """Read a folder in OpenKE's format.

        The folder holds ``entity2id.txt``, ``relation2id.txt`` (a count, then ``name id`` lines, or
        the count alone), ``train2id.txt`` and, if there are such splits, ``valid2id.txt`` and
        ``test2id.txt`` (a count, then ``head tail relation`` lines). Another file may stand in for
        each; a relative path is looked up in the folder, then in the current one.

        Raises
        ------
        FileNotFoundError
            The folder, a file other than the valid and test splits, or what a link to a file
            points to, is not there.
        ValueError
            A malformed file, as ``file:line: found X, expected Y``.
        """
        folder = Path(directory)
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder}: found no such folder, expected one with entity2id.txt, "
                "relation2id.txt, train2id.txt and, if there are such splits, valid2id.txt and "
                "test2id.txt"
            )
        entities = needed_file(folder, entity_file, "entity2id.txt")
        relations = needed_file(folder, relation_file, "relation2id.txt")
        paths: dict[Split, Path | None] = {
            "train": needed_file(folder, train_file, "train2id.txt"),
            "valid": optional_file(folder, valid_file, "valid2id.txt"),
            "test": optional_file(folder, test_file, "test2id.txt"),
        }
        encoded = [_native.path_bytes(path) if path else None for path in paths.values()]
        handle = _native.Handle(
            "store_open",
            _native.path_bytes(entities),
            _native.path_bytes(relations),
            *encoded,
            free="store_free",
        )
        sources: dict[Split, str] = {
            split: f"{path} has no triples" if path else f"{folder / f'{split}2id.txt'} is missing"
            for split, path in paths.items()
        }
        return cls(
            handle, folder, sources, (read_names(handle, "head"), read_names(handle, "relation"))
        )

    @classmethod
    def from_triples(
        cls,
        train: ArrayLike,
        valid: ArrayLike | None = None,
        test: ArrayLike | None = None,
        *,
        entities: int | Sequence[str],
        relations: int | Sequence[str],
    ) -> TripleStore:
        """Make a store of rows ``(head, relation, tail)``: note the order, files have tail second.

        Parameters
        ----------
        train, valid, test : Int["n 3"]
            Rows of ids; duplicates are merged.
        entities, relations
            How many there are, or their names.

        Raises
        ------
        ValueError
            Another shape, ids out of range, names given twice, or no train triples.
        """
        entity_count, entity_names = count_and_names("entities", entities)
        relation_count, relation_names = count_and_names("relations", relations)
        splits = [
            triple_array(split, rows)
            for split, rows in zip(SPLITS, (train, valid, test), strict=True)
        ]
        arguments = [
            part for rows in splits for part in (_native.address(rows, np.int64), len(rows))
        ]
        handle = _native.Handle(
            "store_from_triples", entity_count, relation_count, *arguments, free="store_free"
        )
        sources: dict[Split, str] = {split: f"no {split} triples were given" for split in SPLITS}
        return cls(handle, None, sources, (entity_names, relation_names))

    @property
    def pointer(self) -> int | None:
        """Address of the core's store, valid as long as this object."""
        return self._handle.pointer

    def triples(self, split: Split) -> NDArray[np.int64]:
        """Return the distinct triples of a split, Int["n 3"], in the order of their first row.

        The columns are head, relation, tail. The array is read-only.
        """
        check_split(split)
        if split not in self._triples:
            out = np.empty((self._sizes[split], 3), np.int64)
            _native.call(
                "store_triples", self.pointer, SPLITS.index(split), _native.address(out, np.int64)
            )
            out.flags.writeable = False
            self._triples[split] = out
        return self._triples[split]

    def rows(self, split: Split) -> int:
        """Return the number of rows of a split as given, duplicates included."""
        check_split(split)
        return self._rows[split]

    def multiplicity(self, split: Split) -> NDArray[np.int64]:
        """Return how many rows each distinct triple of a split had, Int["n"]."""
        check_split(split)
        out = np.empty(self._sizes[split], np.int64)
        _native.call(
            "store_multiplicity", self.pointer, SPLITS.index(split), _native.address(out, np.int64)
        )
        return out

    def require(self, split: Split) -> None:
        """Raise a ValueError that says why, if a split is empty."""
        check_split(split)
        if not self._sizes[split]:
            raise ValueError(
                f"the {split} split is empty: {self._sources[split]}; {_WAYS_OUT[split]}"
            )

    def hold_out(self, fraction: float = 0.1, seed: int = 0) -> TripleStore:
        """Return a store whose valid split is a random part of this one's train split.

        It has at most ``floor(fraction * n)`` triples, such that every entity and relation of each
        still occurs in the train split that remains. The old valid split is dropped, the test split
        stays.

        Raises
        ------
        ValueError
            ``fraction`` is not between 0 and 1, or ``seed`` not in ``0 … 2**64 - 1``.
        """
        handle = _native.Handle(
            "store_hold_out", self.pointer, fraction, check_seed(seed), free="store_free"
        )
        sources: dict[Split, str] = {
            **self._sources,
            "valid": f"no triple could be held out of train with fraction {fraction}",
        }
        names = (self.entity_names, self.relation_names)
        return TripleStore(handle, self.directory, sources, names, (fraction, seed))

    def relation_statistics(self) -> RelationStatistics:
        """Return the mean tails per head and heads per tail of each relation in train."""
        tails_per_head = np.empty(self.relation_count, np.float64)
        heads_per_tail = np.empty(self.relation_count, np.float64)
        _native.call(
            "store_relation_statistics",
            self.pointer,
            _native.address(tails_per_head, np.float64),
            _native.address(heads_per_tail, np.float64),
        )
        return RelationStatistics(tails_per_head, heads_per_tail)

    def known(
        self, slot: Slot, first: int, second: int, splits: Sequence[Split] = SPLITS
    ) -> NDArray[np.int64]:
        """Return the sorted ids that answer a query in some of the splits, Int["n"].

        Parameters
        ----------
        slot
            What is asked for: ``"head"`` of (tail, relation), ``"relation"`` of (head, tail),
            ``"tail"`` of (head, relation).
        first, second
            The two ids given, in that order.
        splits
            Where to look.

        Raises
        ------
        ValueError
            Unknown slot or split, or an id out of range.
        """
        count = _native.Int64()
        query = (self.pointer, slot_code(slot), first, second, split_mask(splits))
        _native.call("store_known", *query, None, _native.reference(count))
        out = np.empty(count.value, np.int64)
        _native.call(
            "store_known", *query, _native.address(out, np.int64), _native.reference(count)
        )
        return out

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the counts and the distinct triples of the three splits."""
        digest = hashlib.sha256()
        sizes = [self.entity_count, self.relation_count, *self._sizes.values()]
        digest.update(np.array(sizes, "<i8").tobytes())
        for split in SPLITS:
            digest.update(self.triples(split).astype("<i8", copy=False).tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{size} {split}" for split, size in self._sizes.items())
        return (
            f"TripleStore({self.name!r}: {self.entity_count} entities, "
            f"{self.relation_count} relations; {sizes})"
        )


TripleSource = str | PathLike[str] | TripleStore
"""A folder in OpenKE's format, or an open store."""


def open_store(source: TripleSource) -> TripleStore:
    """Return the open store that ``source`` is, or the one in the folder that it names."""
    return source if isinstance(source, TripleStore) else TripleStore.open(source)
