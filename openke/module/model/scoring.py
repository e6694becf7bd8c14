"""Every shape of scoring, built from a model's encode, query and match.

Shapes: b batch, k negatives of a positive, u distinct entities, q queries, e all entities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch
from torch import Tensor

from openke import kernels
from openke.data.batch import HEAD, RELATION, TAIL, Batch, Side
from openke.kernels import Kind

if TYPE_CHECKING:
    from openke.module.model.model import Model

Rows = dict[str, Tensor]
"""Named tensors with a common first dimension."""

ENCODE_BLOCK = 8192
"""Entities encoded at a time where all are: bounds the width of what projections write."""


class Compare(Protocol):
    """Compares queries with candidates by a kernel; which with which is bound inside."""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return similarities; higher is closer (see :mod:`openke.kernels`)."""


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


def take(rows: Rows, index: Tensor) -> Rows:
    """Return the rows at ``index`` of every named tensor."""
    return {name: tensor.index_select(0, index) for name, tensor in rows.items()}


def join(first: Rows, second: Rows) -> Rows:
    """Return two sets of rows one after the other."""
    return {name: torch.cat([tensor, second[name]]) for name, tensor in first.items()}


def pairwise(query_index: Tensor, candidate_index: Tensor) -> Compare:
    """Return the comparison of listed pairs: Float["p"]."""

    def compare(
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        return kernels.compare_pairs(
            kind, query, table, query_index, candidate_index, modal=modal, gate=gate
        )

    return compare


def score_batch(model: Model, batch: Batch) -> Scores:
    """Score the positives and negatives of a batch; each distinct entity is encoded once."""
    return _shared(model, batch) if batch.shared else _own(model, batch)


def score_triples(model: Model, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """Return Float["n"], the score of each triple (Int["n"] each)."""
    ids, index = torch.unique(torch.cat([head, tail]), return_inverse=True)
    rows = model.encode(ids)
    head_index, tail_index = index.chunk(2)
    queries = model.query(take(rows, head_index), relation, "tail")
    each = torch.arange(len(head), device=head.device)
    return model.match(queries, rows, pairwise(each, tail_index))


def encode_all(model: Model) -> Rows:
    """Return :meth:`Model.encode` of all entities, computed in blocks."""
    device = next(model.parameters()).device
    blocks = torch.split(torch.arange(model.ent_tot, device=device), ENCODE_BLOCK)
    encoded = [model.encode(block) for block in blocks]
    return {name: torch.cat([rows[name] for rows in encoded]) for name in encoded[0]}


def score_all(
    model: Model, side: Side, anchor: Tensor, relation: Tensor, candidates: Rows | None = None
) -> Tensor:
    """Return Float["q e"], every entity in slot ``side`` of the questions (Int["q"] each).

    ``candidates`` are all entities encoded, where the caller has them already.
    """
    if candidates is None:
        candidates = encode_all(model)
    queries = model.query(take(candidates, anchor), relation, side)
    return model.match(queries, candidates, kernels.compare_all)


def _own(model: Model, batch: Batch) -> Scores:
    relation = batch.positive[:, RELATION]
    b, k = batch.negative.shape
    entity_columns = k - batch.relation_negatives
    rows = model.encode(batch.entities)
    head_index, tail_index = batch.index[:b], batch.index[b : 2 * b]
    replaced_index = batch.index[2 * b :].view(b, entity_columns)

    # Queries: (h, r, ?) of each positive, then (?, r, t) where heads are replaced, then one
    # (h, r', ?) for each relation negative.
    each = torch.arange(b, device=relation.device)
    asked = each[:, None].expand(b, entity_columns)  # [b k]: the query of each entity negative
    if batch.side == "tail":
        queries = model.query(take(rows, head_index), relation, "tail")
    else:
        queries = _both_questions(model, rows, batch, relation)
        asked = asked + b * (batch.slot[:, :entity_columns] == HEAD)
    answered = replaced_index
    if batch.relation_negatives:
        asked, answered, queries = _relation_questions(
            model, batch, rows, queries, asked, answered, head_index, tail_index
        )

    query_index = torch.cat([each[:, None], asked], dim=1)  # [b 1+k], the positive first
    candidate_index = torch.cat([tail_index[:, None], answered], dim=1)
    scores = model.match(
        queries, rows, pairwise(query_index.reshape(-1), candidate_index.reshape(-1))
    ).view(b, 1 + k)

    slot = batch.slot[:, :entity_columns]
    heads = torch.where(slot == HEAD, replaced_index, head_index[:, None])
    tails = torch.where(slot == TAIL, replaced_index, tail_index[:, None])
    occurrences = Occurrences(
        batch.entities,
        torch.cat([head_index, heads.reshape(-1)]),
        torch.cat([tail_index, tails.reshape(-1)]),
    )
    return Scores(scores[:, 0], scores[:, 1:], None, occurrences, batch.relation.reshape(-1))


def _both_questions(model: Model, rows: Rows, batch: Batch, relation: Tensor) -> Rows:
    """Return (h, r, ?) of each positive, then (?, r, t) of each."""
    b = len(batch)
    anchors = take(rows, batch.index[: 2 * b])
    heads = {name: tensor[:b] for name, tensor in anchors.items()}
    tails = {name: tensor[b:] for name, tensor in anchors.items()}
    return join(model.query(heads, relation, "tail"), model.query(tails, relation, "head"))


def _relation_questions(
    model: Model,
    batch: Batch,
    rows: Rows,
    queries: Rows,
    asked: Tensor,
    answered: Tensor,
    head_index: Tensor,
    tail_index: Tensor,
) -> tuple[Tensor, Tensor, Rows]:
    """Append the questions (h, r', ?), whose answer is the positive's own tail."""
    b, n = len(batch), batch.relation_negatives
    anchor = take(rows, head_index.repeat_interleave(n))
    first = next(iter(queries.values())).shape[0]
    queries = join(queries, model.query(anchor, batch.negative[:, -n:].reshape(-1), "tail"))
    numbers = first + torch.arange(b * n, device=head_index.device).view(b, n)
    asked = torch.cat([asked, numbers], dim=1)
    return asked, torch.cat([answered, tail_index[:, None].expand(b, n)], dim=1), queries


def _shared(model: Model, batch: Batch) -> Scores:
    relation = batch.positive[:, RELATION]
    b = len(batch)
    rows = model.encode(batch.entities)
    head_index, tail_index = batch.index[:b], batch.index[b : 2 * b]
    replaced_index = batch.index[2 * b :]

    each = torch.arange(b, device=relation.device)
    is_head = batch.slot == HEAD
    if batch.side == "mixed":
        both = _both_questions(model, rows, batch, relation)
        queries = take(both, each + b * is_head)
    else:
        anchor_index = head_index if batch.side == "tail" else tail_index
        queries = model.query(take(rows, anchor_index), relation, batch.side)
    answer = torch.where(is_head, head_index, tail_index)
    positive = model.match(queries, rows, pairwise(each, answer))
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
