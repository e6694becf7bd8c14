"""Entities as relations see them, for models where every relation has a view of its own.

Shapes: u distinct entities, p distinct pairs of an entity and a relation, q queries, e all
entities, n wherever a triple is scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from openke import kernels
from openke.data.batch import Batch, Pairs, Side, find_pairs
from openke.module.model.rows import Rows, count, take

if TYPE_CHECKING:
    from openke.module.model.model import Model


def place(model: Model, rows: Rows, entity: Tensor, relation: Tensor) -> tuple[Rows, Tensor]:
    """Return entities as relations see them, each distinct pair once, and where each pair is.

    Parameters
    ----------
    model
        One that is not relational gets ``rows`` and ``entity`` back.
    rows
        Encoded entities, named Float["u ..."].
    entity, relation : Int["n"]
        Pairs of a row of ``rows`` and a relation, as :meth:`Model.asked` returns it.

    Returns
    -------
    tuple
        The placed rows, named Float["p ..."], and Int["n"], the one of each pair.
    """
    if not model.relational:
        return rows, entity
    return _placed(model, rows, find_pairs(entity, relation, count(rows)))


def place_batch(model: Model, rows: Rows, batch: Batch) -> tuple[Rows, Tensor]:
    """Return the encoded entities of a batch as :func:`place` does, without waiting for a GPU.

    Where each is stands in the order of :class:`.Pairs`.
    """
    pairs = batch.with_pairs(model.inverses).pairs
    assert pairs is not None
    return _placed(model, rows, pairs)


def _placed(model: Model, rows: Rows, pairs: Pairs) -> tuple[Rows, Tensor]:
    return model.place(take(rows, pairs.entity), pairs.relation), pairs.at


def score_all_placed(
    model: Model, side: Side, anchor: Tensor, relation: Tensor, candidates: Rows
) -> Tensor:
    """Return Float["q e"] of a relational model: all entities are placed once for each relation.

    Arguments are those of :func:`.score_all`.
    """
    order = torch.argsort(relation, stable=True)
    found, sizes = torch.unique_consecutive(relation[order], return_counts=True)
    scores = []
    for one, group in zip(found, torch.split(order, sizes.tolist()), strict=True):
        placed = model.place(candidates, model.asked(one, side).expand(count(candidates)))
        queries = model.query(take(placed, anchor[group]), relation[group], side)
        scores.append(model.match(queries, placed, kernels.compare_all))
    if len(scores) == 1:  # the usual block of questions: sorted already
        return scores[0]
    return torch.cat(scores)[torch.argsort(order)]
