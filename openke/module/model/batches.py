"""Scores of a training batch: its positives and what replaces a slot of each.

Shapes: b batch, k negatives of a positive, u distinct entities, n triples scored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from openke import kernels
from openke.data.batch import HEAD, RELATION, TAIL, Batch
from openke.module.model.placing import place_batch
from openke.module.model.rows import Pairwise, Rows, branch, count, join, take

if TYPE_CHECKING:
    from openke.module.model.model import Model


class Occurrences(NamedTuple):
    """The distinct entities of a batch and where they occur in it."""

    ids: Tensor
    """Int["u"]"""
    head: Tensor
    """Int["n"]: rows of ``ids``, one for each triple scored"""
    tail: Tensor
    """Int["n"]"""


class Scores(NamedTuple):
    """What a strategy's loss and penalty are made of."""

    positive: Tensor
    """Float["b"]"""
    negative: Tensor
    """Float["b k"]"""
    mask: Tensor | None
    """Bool["b k"]: negatives that must not count"""
    entities: Occurrences
    relations: Tensor
    """Int["n"]: the relation of each triple scored"""


def score_batch(model: Model, batch: Batch) -> Scores:
    """Score the positives and negatives of a batch; each distinct entity is encoded once."""
    if not batch.shared:
        return _own(model, batch)
    if not model.relational:
        return _shared(model, batch)
    # A shared negative looks different to every relation: there is no one table of candidates.
    return _own(model, batch.unshared())._replace(mask=batch.mask)


def _own(model: Model, batch: Batch) -> Scores:
    relation = batch.positive[:, RELATION]
    b, k = batch.negative.shape
    n = batch.relation_negatives
    m = k - n  # entity negatives stand first, then relation negatives r'
    head_row, tail_row, replaced_row = torch.split(batch.index, [b, b, b * m])

    # Where each entity is among those the relations see: h and t by r, the replacements by r, h
    # and t by r'.
    other = batch.negative[:, m:].reshape(-1)
    rows = model.encode(batch.entities)
    if model.relational:
        rows, at = place_batch(model, rows, batch)
    else:
        repeated = head_row.repeat_interleave(n), tail_row.repeat_interleave(n)
        at = torch.cat([batch.index, *repeated])
    head_at, tail_at, replaced_at, other_head_at, other_tail_at = torch.split(
        at, [b, b, b * m, b * n, b * n]
    )

    # Queries: (h, r, ?) of each positive, then (?, r, t) where heads are replaced, then one
    # (h, r', ?) for each relation negative, whose answer is the positive's own tail.
    each = torch.arange(b, device=relation.device)
    slot = batch.slot[:, :m]
    asked = each[:, None].expand(b, m)  # [b m]: the query of each entity negative
    if batch.side == "tail":
        rows, anchors = branch(rows, head_at)
        queries = model.query(anchors, relation, "tail")
    else:
        rows, anchors = branch(rows, at[: 2 * b])
        queries = _both_questions(model, anchors, relation)
        asked = asked + b * (slot == HEAD)
    first_other = count(queries)
    if n:
        queries = join(queries, model.query(take(rows, other_head_at), other, "tail"))
    others = first_other + torch.arange(b * n, device=relation.device).view(b, n)
    query_index = torch.cat([each[:, None], asked, others], dim=1)  # [b 1+k], the positive first
    candidate_index = torch.cat(
        [tail_at[:, None], replaced_at.view(b, m), other_tail_at.view(b, n)], dim=1
    )
    pairs = Pairwise(query_index.reshape(-1), candidate_index.reshape(-1))
    scores = model.match(queries, rows, pairs).view(b, 1 + k)

    heads = torch.where(slot == HEAD, replaced_row.view(b, m), head_row[:, None])
    tails = torch.where(slot == TAIL, replaced_row.view(b, m), tail_row[:, None])
    occurrences = Occurrences(
        batch.entities,
        torch.cat([head_row, heads.reshape(-1), head_row.repeat_interleave(n)]),
        torch.cat([tail_row, tails.reshape(-1), tail_row.repeat_interleave(n)]),
    )
    return Scores(scores[:, 0], scores[:, 1:], None, occurrences, batch.relation.reshape(-1))


def _both_questions(model: Model, anchors: Rows, relation: Tensor) -> Rows:
    """Return (h, r, ?), then (?, r, t), from the rows of all heads, then all tails."""
    b = len(relation)
    heads = {name: tensor[:b] for name, tensor in anchors.items()}
    tails = {name: tensor[b:] for name, tensor in anchors.items()}
    return join(model.query(heads, relation, "tail"), model.query(tails, relation, "head"))


def _shared(model: Model, batch: Batch) -> Scores:
    relation = batch.positive[:, RELATION]
    b = len(batch)
    rows = model.encode(batch.entities)
    head_index, tail_index, replaced_index = torch.split(batch.index, [b, b, len(batch.negative)])

    each = torch.arange(b, device=relation.device)
    is_head = batch.slot == HEAD
    if batch.side == "mixed":
        both = _both_questions(model, take(rows, batch.index[: 2 * b]), relation)
        queries = take(both, each + b * is_head)
    else:
        anchor_index = head_index if batch.side == "tail" else tail_index
        queries = model.query(take(rows, anchor_index), relation, batch.side)
    answer = torch.where(is_head, head_index, tail_index)
    positive = model.match(queries, rows, Pairwise(each, answer))
    negative = model.match(queries, take(rows, replaced_index), kernels.compare_all)

    heads = torch.where(is_head[:, None], replaced_index, head_index[:, None])  # [b k]
    tails = torch.where(is_head[:, None], tail_index[:, None], replaced_index)
    occurrences = Occurrences(
        batch.entities,
        torch.cat([head_index, heads.reshape(-1)]),
        torch.cat([tail_index, tails.reshape(-1)]),
    )
    relations = relation.repeat_interleave(1 + len(batch.negative))
    return Scores(positive, negative, batch.mask, occurrences, relations)
