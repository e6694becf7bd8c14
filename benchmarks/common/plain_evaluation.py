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
        Whether differences of vectors are compiled.
    """

    def __init__(self, model: PlainModel, store: TripleStore, *, compiled: bool = True) -> None:
        self.model = model
        self.store = store
        self.compare = model.compare
        if compiled and self.compare is not product:
            self.compare = torch.compile(self.compare, dynamic=True)

    @torch.inference_mode()
    def ranks(self, triples: Triples) -> Ranks:
        """Return the realistic ranks of heads and of tails, Float["2 n"], of Int["n 3"]."""
        found = np.empty((2, len(triples)))
        for rows, entities in self._asked(triples):
            for batch in np.array_split(rows, -(-len(rows) // BATCH)):
                for place, side in enumerate(SIDES):
                    found[place, batch] = self._ranks(triples[batch], side, entities)
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
            rows = np.flatnonzero(triples[:, 1] == relation)
            yield rows, gate * structural + (1 - gate) * modal

    def _scores(self, query: Tensor, entities: Tensor) -> Tensor:
        """Return Float["q e"]; distances a block of entities at a time, which stays in cache."""
        if self.compare is product:
            return query @ entities.T
        asked = query[:, None]
        return torch.cat([self.compare(asked, part) for part in entities.split(BLOCK)], dim=1)

    def _ranks(self, triples: Triples, side: Side, entities: Tensor) -> Ranks:
        heads, relations, tails = torch.from_numpy(triples).unbind(dim=1)
        anchors, targets = (heads, tails) if side == "tail" else (tails, heads)
        query = self.model.query(entities[anchors], self.model.relation(relations), side)
        scores = self._scores(query, entities)
        wanted = scores.gather(1, targets[:, None])
        asked = zip(anchors.tolist(), relations.tolist(), strict=True)
        known = [self.store.known(side, *each) for each in asked]
        row = np.repeat(np.arange(len(known)), [len(ids) for ids in known])
        scores[torch.from_numpy(row), torch.from_numpy(np.concatenate(known))] = -torch.inf
        above, level = (scores > wanted).sum(dim=1), (scores == wanted).sum(dim=1)
        return (1.0 + above.double() + level.double() / 2).numpy()
