"""Ranking block by block in the C++ core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from openke.data.store import Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.evaluation.queries import Queries
from openke.evaluation.ranker import count_better


class CoreRanker:
    """Counts, for the queries of a slot, what :func:`.count_better` counts; scores on the CPU."""

    def __init__(
        self,
        store: TripleStore,
        slot: Slot,
        asked: Queries,
        splits: Sequence[Split],
        constraint: TypeConstraint | None,
    ) -> None:
        self.store, self.slot, self.asked = store, slot, asked
        self.splits, self.constraint = splits, constraint
        self.counts = np.zeros((2, len(asked.order)), np.int64)

    def count(self, start: int, scores: Tensor) -> None:
        """Count for the queries from ``start`` on, given their scores, Float["block c"].

        Raises
        ------
        ValueError
            A score is NaN.
        """
        rows = self.asked.asking(start, start + len(scores))
        self.counts[:, rows] = count_better(
            self.store,
            self.slot,
            scores.float().cpu().contiguous().numpy(),
            row=self.asked.query[rows] - start,
            first=self.asked.first[rows],
            second=self.asked.second[rows],
            target=self.asked.target[rows],
            splits=self.splits,
            constraint=self.constraint,
        )

    def fetch(self) -> NDArray[np.int64]:
        """Return greater and equal, Int["2 n"], in the order of the queries; 0 if not counted."""
        return self.counts
