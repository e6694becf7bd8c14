"""Which candidates each query of a split is ranked among: known answers left out, types admitted.

Shapes: q distinct queries, n triples that ask them, c candidates of a slot, g relations asked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openke.data.codes import split_mask
from openke.data.store import Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.evaluation.queries import ASKED, GIVEN, Queries


@dataclass(frozen=True, eq=False)
class Candidates:
    """What is left out of the candidates of a slot, and what is admitted.

    Pairs of a row and a candidate are one number each, ``row * width + candidate``: sorted and
    distinct, so that the pairs of some rows stand together.
    """

    width: int
    """How many candidates the slot has."""
    known: NDArray[np.int64]
    """Int["k"]: pairs of a query (a row of ``Queries.distinct``) and an answer known to it"""
    group: NDArray[np.int64]
    """Int["q"]: to which relation, among those asked with, each query belongs; never decreasing"""
    admitted: NDArray[np.int64] | None
    """Int["a"]: pairs of a group and an entity that its relation admits; None: all are"""

    @classmethod
    def of(
        cls,
        store: TripleStore,
        slot: Slot,
        asked: Queries,
        splits: Sequence[Split],
        constraint: TypeConstraint | None,
    ) -> Candidates:
        """Collect what is known in ``splits``, and what ``constraint`` admits, of some queries."""
        split_mask(splits)  # refuses what is no split
        width = store.relation_count if slot == "relation" else store.entity_count
        columns = [*GIVEN[slot], ASKED[slot]]
        numbers = _pair(asked.distinct[:, 1], asked.distinct[:, 0], store.entity_count)
        known = [np.empty(0, np.int64)]
        for split in splits:
            first, second, answer = store.triples(split)[:, columns].T
            fact = _pair(second, first, store.entity_count)
            query, found = _find(fact, numbers)
            known.append(_pair(query[found], answer[found], width))
        relations, group = np.unique(asked.distinct[:, 1], return_inverse=True)
        admitted = None
        if constraint is not None:
            lists = [constraint.allowed(slot, relation) for relation in relations.tolist()]
            row = np.repeat(np.arange(len(lists)), [len(ids) for ids in lists])
            admitted = _pair(row, np.concatenate(lists), width)
        pairs = np.sort(np.concatenate(known))
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # a fact may stand in several splits
        return cls(width, pairs, group.reshape(-1), admitted)

    def count(self, asked: Queries) -> NDArray[np.int64]:
        """Return how many candidates each triple has, its own answer among them: Int["n"].

        In the order of ``asked``: sorted by query.
        """
        query = self.known // self.width
        left = np.full(len(self.group), self.width)
        # Whether the answer itself is among those left, of which it is counted as one.
        own = ~_find(_pair(asked.query, asked.target, self.width), self.known)[1]
        if self.admitted is not None:
            left = np.bincount(self.admitted // self.width, minlength=self.group[-1] + 1)
            left = left[self.group]
            known = _pair(self.group[query], self.known % self.width, self.width)
            query = query[_find(known, self.admitted)[1]]
            target = _pair(self.group[asked.query], asked.target, self.width)
            own &= _find(target, self.admitted)[1]
        left = left - np.bincount(query, minlength=len(self.group))
        return left[asked.query] - own + 1


def between(pairs: NDArray[np.int64], start: int, stop: int, width: int) -> slice:
    """Return which of the sorted pairs are those of the rows ``start`` to ``stop``."""
    begin, end = np.searchsorted(pairs, [start * width, stop * width]).tolist()
    return slice(begin, end)


def _pair(row: NDArray[np.int64], column: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    return row * width + column


def _find(
    values: NDArray[np.int64], among: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each value stands in a sorted array, and whether it is there."""
    place = np.searchsorted(among, values)
    found = place < len(among)
    found[found] = among[place[found]] == values[found]
    return place, found
