"""Scores of triples, built from a model's encode, project, query and match.

Shapes: n triples, q pairs of a head and a tail, r all relations.
"""

from __future__ import annotations

import torch
from torch import Tensor

from openke import kernels
from openke.module.scoring.all_entities import encode_all
from openke.module.scoring.compare import Pairwise
from openke.module.scoring.contract import Scorer, ask
from openke.module.scoring.encodings import Encodings, take
from openke.module.scoring.projection import project_pairs


def score_triples(model: Scorer, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
    """Return Float["n"], the score of each triple (Int["n"] each).

    Of a model whose queries are asymmetric, the score of its query (h, r, ?).
    """
    ids, index = torch.unique(torch.cat([head, tail]), return_inverse=True)
    head_row, tail_row = index.chunk(2)
    return score_rows(model, model.encode(ids), head_row, tail_row, relation)


def score_rows(
    model: Scorer, entities: Encodings, head: Tensor, tail: Tensor, relation: Tensor
) -> Tensor:
    """Return Float["n"], the score of each triple of entities that are encoded already.

    ``head`` and ``tail`` (Int["n"]) are rows of ``entities``, ``relation`` holds ids.
    """
    asked = model.effective_relation(relation, "tail")
    rows, at = project_pairs(model, entities, torch.cat([head, tail]), torch.cat([asked, asked]))
    head_at, tail_at = at.chunk(2)
    queries = ask(model, take(rows, head_at), relation, "tail")
    each = torch.arange(len(relation), device=relation.device)
    return model.match(queries, rows, Pairwise(each, tail_at))


def score_relations(
    model: Scorer, head: Tensor, tail: Tensor, entities: Encodings | None = None
) -> Tensor:
    """Return Float["q r"], every relation between the given heads and tails (Int["q"] each).

    Triples score as :func:`score_triples` says. ``entities`` are all entities encoded, where the
    caller has them already.
    """
    if entities is None:
        entities = encode_all(model)
    q, r = len(head), model.rel_tot
    everything = torch.arange(r, device=head.device)
    if model.linear_in_relation:
        pairs = model.relation_query(take(entities, head), take(entities, tail))
        return kernels.compare_all("dot", pairs, model.relation_embeddings(everything))
    relation = everything.repeat(q)
    heads, tails = head.repeat_interleave(r), tail.repeat_interleave(r)
    return score_rows(model, entities, heads, tails, relation).view(q, r)
