"""Canonical polyadic form with inverse relations, over entities that have two roles."""

import torch
from torch import Tensor

from openke.data.batch import Side


def query(anchor: Tensor, relation: Tensor, inverse: Tensor, side: Side) -> Tensor:
    """Return the vector whose dot product with the answer is the mean of both directions.

    With h_H, h_T the head as head and as tail, the score is (<h_H, r, t_T> + <t_H, r', h_T>) / 2.

    Parameters
    ----------
    anchor : Float["q 2d"]
        Vector of the known entity: d reals as head, then d reals as tail.
    relation, inverse : Float["q d"]
        Vectors r and r' of the relation and of its inverse.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["q 2d"]

    References
    ----------
    Kazemi and Poole, SimplE Embedding for Link Prediction in Knowledge Graphs, NeurIPS 2018.
    """
    as_head, as_tail = anchor.chunk(2, dim=-1)
    if side == "head":
        relation, inverse = inverse, relation
    # The answer's reals as head meet the anchor as tail, and the other way round.
    return torch.cat([as_tail * inverse, as_head * relation], dim=-1) / 2


def relation_query(head: Tensor, tail: Tensor) -> Tensor:
    """Return the vector whose dot product with r and r' side by side is the score, Float["q 2d"].

    ``head`` and ``tail`` are Float["q 2d"], as in :func:`query`.
    """
    head_as_head, head_as_tail = head.chunk(2, dim=-1)
    tail_as_head, tail_as_tail = tail.chunk(2, dim=-1)
    return torch.cat([head_as_head * tail_as_tail, tail_as_head * head_as_tail], dim=-1) / 2
