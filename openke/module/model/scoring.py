"""Scores of triples and of all answers, built from a model's encode, place, query and match.

Shapes: n triples, q queries, e all entities, r all relations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from openke import kernels
from openke.data.batch import Side
from openke.module.model.batches import Occurrences, Scores, score_batch
from openke.module.model.placing import place, score_all_placed
from openke.module.model.rows import Compare, Pairwise, Rows, branch, take

if TYPE_CHECKING:
    from openke.module.model.model import Model

ENCODE_BLOCK = 8192
"""Entities encoded at a time where all are and no gradient is wanted: bounds what projections
write. A gradient keeps all of it, and is cheapest in one piece."""


def score_triples(model: Model, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """Return Float["n"], the score of each triple (Int["n"] each).

    Of a model that is directed, the score of its question (h, r, ?).
    """
    ids, index = torch.unique(torch.cat([head, tail]), return_inverse=True)
    head_row, tail_row = index.chunk(2)
    return _score_pairs(model, model.encode(ids), head_row, tail_row, relation)


def encode_all(model: Model) -> Rows:
    """Return :meth:`Model.encode` of all entities, computed in blocks."""
    everyone = torch.arange(model.ent_tot, device=next(model.parameters()).device)
    if torch.is_grad_enabled():
        return model.encode(everyone)
    blocks = torch.split(everyone, ENCODE_BLOCK)
    encoded = [model.encode(block) for block in blocks]
    return {name: torch.cat([rows[name] for rows in encoded]) for name in encoded[0]}


def score_all(
    model: Model, side: Side, anchor: Tensor, relation: Tensor, candidates: Rows | None = None
) -> Tensor:
    """Return Float["q e"], every entity in slot ``side`` of the questions (Int["q"] each).

    ``candidates`` are all entities encoded, where the caller has them already. Questions sorted by
    relation are cheapest for models that are relational.
    """
    if candidates is None:
        candidates = encode_all(model)
    if model.relational:
        return score_all_placed(model, side, anchor, relation, candidates)
    candidates, anchors = branch(candidates, anchor)
    return model.match(model.query(anchors, relation, side), candidates, kernels.compare_all)


def score_relations(
    model: Model, head: Tensor, tail: Tensor, entities: Rows | None = None
) -> Tensor:
    """Return Float["q r"], every relation between the given heads and tails (Int["q"] each).

    Triples score as :func:`score_triples` says. ``entities`` are all entities encoded, where the
    caller has them already.
    """
    if entities is None:
        entities = encode_all(model)
    q, r = len(head), model.rel_tot
    everything = torch.arange(r, device=head.device)
    if model.linear:
        pairs = model.between(take(entities, head), take(entities, tail))
        return kernels.compare_all("dot", pairs, model.relation_rows(everything))
    relation = everything.repeat(q)
    heads, tails = head.repeat_interleave(r), tail.repeat_interleave(r)
    return _score_pairs(model, entities, heads, tails, relation).view(q, r)


def _score_pairs(
    model: Model, entities: Rows, head: Tensor, tail: Tensor, relation: Tensor
) -> Tensor:
    """Return Float["n"]; ``head`` and ``tail`` are rows of ``entities``."""
    asked = model.asked(relation, "tail")
    rows, at = place(model, entities, torch.cat([head, tail]), torch.cat([asked, asked]))
    head_at, tail_at = at.chunk(2)
    queries = model.query(take(rows, head_at), relation, "tail")
    each = torch.arange(len(relation), device=relation.device)
    return model.match(queries, rows, Pairwise(each, tail_at))


__all__ = [
    "ENCODE_BLOCK",
    "Compare",
    "Occurrences",
    "Pairwise",
    "Rows",
    "Scores",
    "encode_all",
    "score_all",
    "score_batch",
    "score_relations",
    "score_triples",
]
