"""Relation prediction beside entity prediction: which relation holds between h and t."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from openke.module.model.model import Model
from openke.module.penalty import Facts
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.recompute import recomputed
from openke.module.scoring.triples import score_relations

PAIR_BLOCK = 2**16
"""Triples scored at a time where each has a query vector of its own."""


def relation_loss(model: Model, facts: Facts, entities: Encodings) -> Tensor:
    """Return the mean over facts of the cross entropy of their relation against all relations.

    Parameters
    ----------
    model
        With reciprocal relations, the inner one: inverses are relations as any other.
    facts
        What is true.
    entities
        All entities encoded.

    References
    ----------
    Chen et al., Relation Prediction as an Auxiliary Training Objective for Improving Multi-
    Relational Graph Representations, AKBC 2021.
    """
    at_tail = torch.arange(len(facts.anchor), device=facts.anchor.device) < facts.tails
    head = torch.where(at_tail, facts.anchor, facts.answer)
    tail = torch.where(at_tail, facts.answer, facts.anchor)

    def block_loss(head: Tensor, tail: Tensor, relation: Tensor) -> Tensor:
        scores = score_relations(model, head, tail, entities)
        return cross_entropy(scores, relation, reduction="sum")

    size = len(head) if model.linear_in_relation else max(1, PAIR_BLOCK // model.rel_tot)
    parts = zip(*(torch.split(ids, size) for ids in (head, tail, facts.relation)), strict=True)
    losses = [recomputed(model, block_loss, *part) for part in parts]
    total: Tensor = torch.stack(losses).sum()
    return total / len(head)
