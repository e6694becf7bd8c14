"""A full filtered evaluation in PyTorch, written well: what ours is held to.

The queries of a relation are asked in batches, against entities that are encoded once. Products of
matrices score ComplEx; differences of vectors are compiled, which forms no array of them.

Shapes: q queries, e entities, d reals per vector.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from common.plain import PlainModel
from common.plain_comparing import product
from common.plain_data import Triples
from openke.data.batch import Side
from openke.data.store import TripleStore

BATCH = 256
"""Queries that are asked at a time."""
BLOCK = 512
"""Entities whose distances are found at a time: their vectors stay in cache."""

SIDES: tuple[Side, Side] = ("head", "tail")
Ranks = NDArray[np.float64]


class PlainEvaluation:
    """Ranks test triples.

    Parameters
    ----------
    compiled
        Whether differences of vectors, and what counts scores, are compiled.
    """

    def __init__(self, model: PlainModel, store: TripleStore, *, compiled: bool = True) -> None:
        self.model = model
        self.store = store
        self.compare, self.counts = model.compare, counts
        if compiled:
            self.counts = torch.compile(counts, dynamic=True)
            if self.compare is not product:
                self.compare = torch.compile(self.compare, dynamic=True)

    @torch.inference_mode()
    def ranks(self, triples: Triples) -> Ranks:
        """Return the realistic ranks of heads and of tails, Float["2 n"], of Int["n 3"]."""
        found = np.empty((2, len(triples)))
        for rows, entities in self._asked(triples):
            for place, side in enumerate(SIDES):
                found[place, rows] = self._ranks(triples[rows], side, entities)
        return found

    def _asked(self, triples: Triples) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Yield rows that see the same entities, and these, Float["e d"]."""
        structural = self.model.entity.weight
        if not len(self.model.features):
            yield np.arange(len(triples)), structural
            return
        modal = self.model.fused(torch.arange(self.store.entity_count))
        for relation in np.unique(triples[:, 1]).tolist():
            gate = self.model.gate.weight[relation].sigmoid()
            yield np.flatnonzero(triples[:, 1] == relation), torch.lerp(modal, structural, gate)

    def _ranks(self, triples: Triples, side: Side, entities: Tensor) -> Ranks:
        """Return Float["n"]; each distinct query is scored once."""
        kept, asked = ([0, 1], 2) if side == "tail" else ([2, 1], 0)
        queries, of = np.unique(triples[:, kept], axis=0, return_inverse=True)
        order = np.argsort(of.ravel(), kind="stable")
        of = of.ravel()[order]
        found = np.empty(len(triples))
        for first in range(0, len(queries), BATCH):
            part = queries[first : first + BATCH]
            begin, end = np.searchsorted(of, (first, first + len(part)))
            rows = order[begin:end]
            scores = self._scores(part, side, entities)
            at = torch.from_numpy(of[begin:end] - first)
            wanted = scores[at, torch.from_numpy(triples[rows, asked])]
            known = [self.store.known(side, *each) for each in part.tolist()]
            row = np.repeat(np.arange(len(known)), [len(ids) for ids in known])
            scores[torch.from_numpy(row), torch.from_numpy(np.concatenate(known))] = -torch.inf
            found[rows] = self.counts(scores, at, wanted).numpy()
        return found

    def _scores(self, queries: Triples, side: Side, entities: Tensor) -> Tensor:
        """Return Float["q e"]; distances a block of entities at a time, which stays in cache."""
        anchors, relations = torch.from_numpy(queries).unbind(dim=1)
        query = self.model.query(entities[anchors], self.model.relation(relations), side)
        if self.compare is product:
            return query @ entities.T
        asked = query[:, None]
        return torch.cat([self.compare(asked, part) for part in entities.split(BLOCK)], dim=1)


def counts(scores: Tensor, at: Tensor, wanted: Tensor) -> Tensor:
    """Return the ranks of answers that score ``wanted``, Float["n"], in rows of Float["q e"]."""
    others = scores[at]
    above = (others > wanted[:, None]).sum(dim=1)
    level = (others == wanted[:, None]).sum(dim=1)
    return 1.0 + above.double() + level.double() / 2
