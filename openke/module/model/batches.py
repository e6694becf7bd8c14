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
    """Float["b"], or Float["2b"] where a directed model is asked both ways"""
    negative: Tensor
    """Float["b k"], a row for each positive"""
    mask: Tensor | None
    """Bool["b k"]: negatives that must not count"""
    entities: Occurrences
    relations: Tensor
    """Int["n"]: the relation of each triple scored, as :meth:`Model.asked` returns it"""


def score_batch(model: Model, batch: Batch) -> Scores:
    """Score the positives and negatives of a batch; each distinct entity is encoded once.

    A directed model scores a triple by the question its negatives answer. Where they replace heads
    and tails, each positive stands there twice, b times as (h, r, ?) and b times as (?, r, t), and
    negatives of the other question are masked.
    """
    if not batch.shared:
        return _own(model, batch)
    if not model.relational:
        return _shared(model, batch)
    # A shared negative looks different to every relation: there is no one table of candidates.
    scores = _own(model, batch.unshared())
    positive, b = scores.positive, len(batch)
    if len(positive) == 2 * b:  # asked both ways, but one slot of each triple is replaced
        positive = torch.where(batch.slot == HEAD, positive[b:], positive[:b])
    return scores._replace(positive=positive, negative=scores.negative[:b], mask=batch.mask)


def _own(model: Model, batch: Batch) -> Scores:
    relation = batch.positive[:, RELATION]
    b, k = batch.negative.shape
    n = batch.relation_negatives
    m = k - n  # entity negatives stand first, then relation negatives r'
    head_row, tail_row, replaced_row = torch.split(batch.index, [b, b, b * m])
    slot = batch.slot[:, :m]

    # Where each entity is among those the relations see: h and t by r as the tail question asks
    # it, then as the head question does, the replacements by their question's, h and t by r'.
    by_tail, by_head = model.asked(relation, "tail"), model.asked(relation, "head")
    by_slot = torch.where(slot == HEAD, by_head[:, None], by_tail[:, None]).reshape(-1)
    other = batch.negative[:, m:].reshape(-1)
    by_other = model.asked(other, "tail")
    rows = model.encode(batch.entities)
    if model.relational:
        rows, at = place_batch(model, rows, batch)
    else:
        repeated = head_row.repeat_interleave(n), tail_row.repeat_interleave(n)
        at = torch.cat([batch.index[: 2 * b], batch.index, *repeated])
    head_at, tail_at, answer_at, anchor_at, replaced_at, other_head_at, other_tail_at = torch.split(
        at, [b, b, b, b, b * m, b * n, b * n]
    )

    # Queries: (h, r, ?) or (?, r, t) of each positive, or first the one and then the other where
    # both are asked, then one (h, r', ?) for each relation negative, answered by the positive's t.
    each = torch.arange(b, device=relation.device)
    asked = each[:, None].expand(b, m)  # [b m]: the query of each entity negative
    positive_query, positive_answer, positive_relation = [each], [tail_at], [by_tail]
    if batch.side == "tail":
        rows, anchors = branch(rows, head_at)
        queries = model.query(anchors, relation, "tail")
    elif batch.side == "head":
        rows, anchors = branch(rows, anchor_at)
        queries = model.query(anchors, relation, "head")
        positive_answer, positive_relation = [answer_at], [by_head]
    else:
        rows, anchors = branch(rows, torch.cat([head_at, anchor_at]))
        queries = _both_questions(model, anchors, relation)
        asked = asked + b * (slot == HEAD)
        if model.directed and m:  # relation negatives answer (h, r, ?) alone
            positive_query.append(each + b)
            positive_answer.append(answer_at)
            positive_relation.append(by_head)
    first_other = count(queries)
    if n:
        queries = join(queries, model.query(take(rows, other_head_at), other, "tail"))
    others = first_other + torch.arange(b * n, device=relation.device).view(b, n)
    query_index = torch.cat([torch.stack(positive_query, dim=1), asked, others], dim=1)
    candidate_index = torch.cat(
        [torch.stack(positive_answer, 1), replaced_at.view(b, m), other_tail_at.view(b, n)], dim=1
    )
    pairs = Pairwise(query_index.reshape(-1), candidate_index.reshape(-1))
    scores = model.match(queries, rows, pairs).view(query_index.shape)  # [b 1+k] or [b 2+k]

    heads = torch.where(slot == HEAD, replaced_row.view(b, m), head_row[:, None])
    tails = torch.where(slot == TAIL, replaced_row.view(b, m), tail_row[:, None])
    occurrences = Occurrences(
        batch.entities,
        torch.cat([head_row, heads.reshape(-1), head_row.repeat_interleave(n)]),
        torch.cat([tail_row, tails.reshape(-1), tail_row.repeat_interleave(n)]),
    )
    relations = torch.cat([*positive_relation, by_slot, by_other])
    if len(positive_query) == 1:
        return Scores(scores[:, 0], scores[:, 1:], None, occurrences, relations)
    of_tail = torch.cat([slot != HEAD, torch.ones_like(others, dtype=torch.bool)], dim=1)  # [b k]
    return Scores(
        scores[:, :2].t().reshape(-1),
        scores[:, 2:].repeat(2, 1),
        torch.cat([~of_tail, of_tail]),
        occurrences,
        relations,
    )


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
    asked = torch.where(is_head, model.asked(relation, "head"), model.asked(relation, "tail"))
    relations = asked.repeat_interleave(1 + len(batch.negative))
    return Scores(positive, negative, batch.mask, occurrences, relations)
