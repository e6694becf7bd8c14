"""Scores of a training batch: its positives and what replaces a slot of each.

Shapes: b batch, k negatives of a positive, m of these that replace entities, u distinct entities, n
triples scored.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from openke.data.batch import HEAD, RELATION, TAIL, Batch
from openke.module.scoring.compare import ALL_PAIRS, Pairwise
from openke.module.scoring.contract import Scorer, ask
from openke.module.scoring.encodings import Encodings, branch, count, join, take
from openke.module.scoring.projection import (
    Meetings,
    meeting_entities,
    meeting_relations,
    project_batch,
)


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
    """Float["b"], or Float["2b"] where asymmetric queries are asked both ways"""
    negative: Tensor
    """Float["b k"], a row for each positive"""
    mask: Tensor | None
    """Bool["b k"]: negatives that must not count"""
    entities: Occurrences
    relations: Tensor
    """Int["n"]: the relation of each triple scored, see :meth:`Scorer.effective_relation`"""


def score_batch(model: Scorer, batch: Batch, rows: Encodings | None = None) -> Scores:
    """Score the positives and negatives of a batch; each distinct entity is encoded once.

    ``rows`` are the batch's entities encoded, where the caller has them already.

    A model with asymmetric queries scores a triple by the query its negatives answer. Where they
    replace heads and tails, each positive stands there twice, b times as (h, r, ?) and b times as
    (?, r, t), and negatives of the other query are masked.
    """
    if rows is None:
        rows = model.encode(batch.entities)
    if not batch.shared:
        return _own(model, batch, rows)
    if not model.projects_entities:
        return _shared(model, batch, rows)
    # A shared negative looks different to every relation: there is no one table of candidates.
    scores = _own(model, batch.unshared(), rows)
    positive, b = scores.positive, len(batch)
    if len(positive) == 2 * b:  # asked both ways, but one slot of each triple is replaced
        positive = torch.where(batch.slot == HEAD, positive[b:], positive[:b])
    return scores._replace(positive=positive, negative=scores.negative[:b], mask=batch.mask)


def of_slot(scores: Tensor, batch: Batch) -> Tensor:
    """Return the scores of the queries that ask for the slot replaced.

    They are ``scores`` themselves, b rows, or where a model is asked both ways, 2b rows, one of the
    two of each positive: Float["b"] or Float["b k"].
    """
    b = len(batch)
    if len(scores) == b:
        return scores
    slot = batch.slot
    if slot.dim() > scores.dim():
        slot = slot[:, 0]
    elif slot.dim() < scores.dim():
        slot = slot[:, None]
    return torch.where(slot == HEAD, scores[b:], scores[:b])


def _own(model: Scorer, batch: Batch, encoded: Encodings) -> Scores:
    """Score negatives that each positive has for itself."""
    b, k = batch.negative.shape
    n = batch.relation_negatives
    m = k - n
    slot = batch.slot[:, :m]
    relations = meeting_relations(batch, model.inverse_offset)
    rows, joined = project_batch(model, encoded, batch)
    at = meeting_entities(batch).divide(joined)  # the row of each place

    # The queries of entities first, then one (h, r', ?) for each relation negative, answered by the
    # positive's t.
    rows, queries, asked = _entity_queries(model, batch, rows, at, relations)
    first_other = count(queries)
    if n:
        other = ask(model, take(rows, at.other_head), relations.other_head, "tail")
        queries = join(queries, other)
    others = first_other + torch.arange(b * n, device=slot.device).view(b, n)
    replacement, other_tail = at.replacement.view(b, m), at.other_tail.view(b, n)
    query_index = torch.cat([*asked.positive_query, asked.negative_query, others], dim=1)
    candidate_index = torch.cat([*asked.positive_answer, replacement, other_tail], dim=1)
    pairs = Pairwise(query_index.reshape(-1), candidate_index.reshape(-1))
    scores = model.match(queries, rows, pairs).view(query_index.shape)  # [b 1+k] or [b 2+k]

    occurrences = _occurrences(batch, slot)
    seen_by = torch.cat([*asked.positive_relation, relations.replacement, relations.other_head])
    if len(asked.positive_query) == 1:
        return Scores(scores[:, 0], scores[:, 1:], None, occurrences, seen_by)
    return _asked_both_ways(scores, slot, n, occurrences, seen_by)


class _Asked(NamedTuple):
    """Which query each positive and each entity negative answers; one entry for each way asked."""

    positive_query: list[Tensor]
    """Int["b 1"]"""
    positive_answer: list[Tensor]
    """Int["b 1"]: the row of the entity that answers"""
    positive_relation: list[Tensor]
    """Int["b"]"""
    negative_query: Tensor
    """Int["b m"]"""


def _entity_queries(
    model: Scorer, batch: Batch, rows: Encodings, at: Meetings, relations: Meetings
) -> tuple[Encodings, Encodings, _Asked]:
    """Return rows, queries (h, r, ?) or (?, r, t) of each positive, and who answers which.

    Where both are asked, the queries are first the one of all positives, then the other.
    """
    relation = batch.positive[:, RELATION]
    b, m = len(batch), batch.negative.shape[1] - batch.relation_negatives
    each = torch.arange(b, device=relation.device)[:, None]
    of_tail = _Asked(
        [each], [at.tail_query_tail[:, None]], [relations.tail_query_tail], each.expand(b, m)
    )
    of_head = _Asked(
        [each], [at.head_query_head[:, None]], [relations.head_query_head], each.expand(b, m)
    )
    if batch.side == "tail":
        rows, anchors = branch(rows, at.tail_query_head)
        return rows, ask(model, anchors, relation, "tail"), of_tail
    if batch.side == "head":
        rows, anchors = branch(rows, at.head_query_tail)
        return rows, ask(model, anchors, relation, "head"), of_head
    rows, anchors = branch(rows, torch.cat([at.tail_query_head, at.head_query_tail]))
    queries = _both_queries(model, anchors, relation)
    asked = of_tail._replace(negative_query=each + b * (batch.slot[:, :m] == HEAD))
    if model.asymmetric_queries and m:  # relation negatives answer (h, r, ?) alone
        asked = _Asked(
            [each, each + b],
            of_tail.positive_answer + of_head.positive_answer,
            of_tail.positive_relation + of_head.positive_relation,
            asked.negative_query,
        )
    return rows, queries, asked


def _asked_both_ways(
    scores: Tensor, slot: Tensor, n: int, occurrences: Occurrences, seen_by: Tensor
) -> Scores:
    """Return Float["b 2+k"] as scores of 2b positives, with negatives of the other query masked.

    ``slot`` (UInt8["b m"]) is that of entity negatives, after which come n relation negatives.
    """
    others = torch.ones(len(slot), n, dtype=torch.bool, device=slot.device)
    of_tail = torch.cat([slot != HEAD, others], dim=1)  # [b k]
    return Scores(
        scores[:, :2].t().reshape(-1),
        scores[:, 2:].repeat(2, 1),
        torch.cat([~of_tail, of_tail]),
        occurrences,
        seen_by,
    )


def _occurrences(batch: Batch, slot: Tensor) -> Occurrences:
    """Return where the entities of own negatives occur; ``slot`` is that of entity negatives."""
    n, replacing = batch.relation_negatives, batch.replacing_index.view(slot.shape)
    head, tail = batch.head_index, batch.tail_index
    heads = torch.where(slot == HEAD, replacing, head[:, None])
    tails = torch.where(slot == TAIL, replacing, tail[:, None])
    return Occurrences(
        batch.entities,
        torch.cat([head, heads.reshape(-1), head.repeat_interleave(n)]),
        torch.cat([tail, tails.reshape(-1), tail.repeat_interleave(n)]),
    )


def _both_queries(model: Scorer, anchors: Encodings, relation: Tensor) -> Encodings:
    """Return (h, r, ?), then (?, r, t), from the rows of all heads, then all tails."""
    b = len(relation)
    heads = {name: tensor[:b] for name, tensor in anchors.items()}
    tails = {name: tensor[b:] for name, tensor in anchors.items()}
    return join(ask(model, heads, relation, "tail"), ask(model, tails, relation, "head"))


def _shared(model: Scorer, batch: Batch, rows: Encodings) -> Scores:
    """Score negatives that the batch shares: one table of candidates for all queries."""
    relation = batch.positive[:, RELATION]
    b = len(batch)
    head, tail, replacing = batch.head_index, batch.tail_index, batch.replacing_index

    each = torch.arange(b, device=relation.device)
    is_head = batch.slot == HEAD
    if batch.side == "mixed":
        both = _both_queries(model, take(rows, batch.index[: 2 * b]), relation)
        queries = take(both, each + b * is_head)
    else:
        anchor_index = head if batch.side == "tail" else tail
        queries = ask(model, take(rows, anchor_index), relation, batch.side)
    answer = torch.where(is_head, head, tail)
    positive = model.match(queries, rows, Pairwise(each, answer))
    negative = model.match(queries, take(rows, replacing), ALL_PAIRS)

    heads = torch.where(is_head[:, None], replacing, head[:, None])  # [b k]
    tails = torch.where(is_head[:, None], tail[:, None], replacing)
    occurrences = Occurrences(
        batch.entities,
        torch.cat([head, heads.reshape(-1)]),
        torch.cat([tail, tails.reshape(-1)]),
    )
    asked = torch.where(
        is_head,
        model.effective_relation(relation, "head"),
        model.effective_relation(relation, "tail"),
    )
    seen_by = torch.cat([asked, asked.repeat_interleave(len(replacing))])
    return Scores(positive, negative, batch.mask, occurrences, seen_by)
