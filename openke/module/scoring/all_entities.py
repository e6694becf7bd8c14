"""Scores of every entity as the answer to a query.

Shapes: q queries, e all entities.
"""

from __future__ import annotations

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.scoring.compare import ALL_PAIRS
from openke.module.scoring.contract import Scorer, ask
from openke.module.scoring.encodings import Encodings, branch, count, take
from openke.module.scoring.recompute import recomputed

ENCODE_BLOCK = 8192
"""Entities encoded at a time where all are and no gradient is wanted: bounds what projections
write. A gradient keeps all of it, and is cheapest in one piece, unless the model has an
``encode_block``."""


def encode_all(model: Scorer) -> Encodings:
    """Return :meth:`Scorer.encode` of all entities, computed in blocks."""
    everyone = torch.arange(model.ent_tot, device=next(model.parameters()).device)
    if not torch.is_grad_enabled():
        encoded = [model.encode(block) for block in torch.split(everyone, ENCODE_BLOCK)]
    elif 0 < model.encode_block < model.ent_tot:
        encoded = [
            recomputed(model, model.encode, block)
            for block in torch.split(everyone, model.encode_block)
        ]
    else:
        return model.encode(everyone)
    return {name: torch.cat([rows[name] for rows in encoded]) for name in encoded[0]}


def score_all(
    model: Scorer,
    side: Side,
    anchor: Tensor,
    relation: Tensor,
    candidates: Encodings | None = None,
) -> Tensor:
    """Return Float["q e"], every entity in slot ``side`` of the queries (Int["q"] each).

    ``candidates`` are all entities encoded, where the caller has them already. Queries sorted by
    relation are cheapest for models that project entities.
    """
    if candidates is None:
        candidates = encode_all(model)
    if model.projects_entities:
        return _score_all_projected(model, side, anchor, relation, candidates)
    candidates, anchors = branch(candidates, anchor)
    return model.match(ask(model, anchors, relation, side), candidates, ALL_PAIRS)


def score_heads(
    model: Scorer, side: Side, anchor: Tensor, relation: Tensor, candidates: Encodings
) -> tuple[Tensor, ...]:
    """Return Float["q e"] of each of a model's :meth:`.Scorer.heads`; see :func:`score_all`."""
    if model.projects_entities:
        return (_score_all_projected(model, side, anchor, relation, candidates),)
    candidates, anchors = branch(candidates, anchor)
    return model.heads(ask(model, anchors, relation, side), candidates, ALL_PAIRS)


def _score_all_projected(
    model: Scorer, side: Side, anchor: Tensor, relation: Tensor, candidates: Encodings
) -> Tensor:
    """Return Float["q e"]; all entities are projected once for each relation."""
    order = torch.argsort(relation, stable=True)
    found, sizes = torch.unique_consecutive(relation[order], return_counts=True)
    scores = []
    for one, group in zip(found, torch.split(order, sizes.tolist()), strict=True):
        seen_by = model.effective_relation(one, side).expand(count(candidates))
        projected = model.project(candidates, seen_by)
        queries = ask(model, take(projected, anchor[group]), relation[group], side)
        scores.append(model.match(queries, projected, ALL_PAIRS))
    if len(scores) == 1:  # the usual block of queries: sorted already
        return scores[0]
    return torch.cat(scores)[torch.argsort(order)]
