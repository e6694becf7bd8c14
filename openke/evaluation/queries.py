"""Queries about one slot of a triple: grouped, so that each is scored once, and scored."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.store import Slot
from openke.module.model.model import Model
from openke.module.scoring.all_entities import score_all
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.triples import score_relations

GIVEN: dict[Slot, tuple[int, int]] = {
    "head": (TAIL, RELATION),
    "relation": (HEAD, TAIL),
    "tail": (HEAD, RELATION),
}
"""The two slots that a query about the third gives, in the order the ranker takes them."""
ASKED: dict[Slot, int] = {"head": HEAD, "relation": RELATION, "tail": TAIL}


class Queries(NamedTuple):
    """The distinct queries of a split about one slot, and the rows that ask them."""

    distinct: NDArray[np.int64]
    """Int["q 2"]: what each gives"""
    order: NDArray[np.int64]
    """Int["n"]: rows of the split, sorted by query; the arrays below follow it"""
    query: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    target: NDArray[np.int64]

    @classmethod
    def of(cls, triples: NDArray[np.int64], slot: Slot) -> Queries:
        """Group the triples (Int["n 3"]) that ask the same: scored once, ranked for each."""
        first, second = GIVEN[slot]
        # Sorted by what is given second, a relation where entities are asked for.
        order = np.lexsort((triples[:, first], triples[:, second]))
        given = triples[order][:, [first, second]]
        new = np.ones(len(given), bool)
        new[1:] = (given[1:] != given[:-1]).any(axis=1)
        return cls(
            given[new],
            order,
            np.cumsum(new) - 1,
            *(np.ascontiguousarray(triples[order, c]) for c in (first, second, ASKED[slot])),
        )

    def asking(self, start: int, stop: int) -> slice:
        """Return which of the sorted rows ask the distinct queries from ``start`` to ``stop``."""
        begin, end = np.searchsorted(self.query, [start, stop]).tolist()
        return slice(begin, end)


def score_queries(
    model: Model, slot: Slot, first: Tensor, second: Tensor, entities: Encodings
) -> Tensor:
    """Return Float["q e"], or Float["q r"] where relations are asked for.

    ``first`` and ``second`` (Int["q"] each) are what is given, ``entities`` all entities encoded.
    """
    if slot == "relation":
        return score_relations(model, first, second, entities)
    return score_all(model, slot, first, second, entities)
