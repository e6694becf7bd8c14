"""The facts around each entity, found by one look-up for many entities.

Shapes: n facts, u entities, k facts around them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Around(NamedTuple):
    """The facts around u entities, entity by entity."""

    first: Tensor
    """Int["u"]: where each entity's facts begin"""
    owner: Tensor
    """Int["k"]: the row of the entity that each is around"""
    fact: Tensor
    """Int["k"]"""
    relation: Tensor
    """Int["k"]"""
    other: Tensor
    """Int["k"]: the entity at the other end"""


class Neighbours(nn.Module):
    """Facts sorted by one of their entities.

    Parameters
    ----------
    centre, relation, other
        Int["n"] each: the entity a fact is around, its relation, the entity at the other end.
    ent_tot
        Number of entities.
    """

    offsets: Tensor
    fact: Tensor
    relation: Tensor
    other: Tensor

    def __init__(self, centre: Tensor, relation: Tensor, other: Tensor, ent_tot: int) -> None:
        super().__init__()
        order = torch.argsort(centre, stable=True)
        ends = torch.bincount(centre, minlength=ent_tot).cumsum(0)
        self.register_buffer("offsets", torch.cat([ends.new_zeros(1), ends]), persistent=False)
        self.register_buffer("fact", order, persistent=False)
        self.register_buffer("relation", relation[order], persistent=False)
        self.register_buffer("other", other[order], persistent=False)

    def forward(self, entities: Tensor) -> Around:
        """Return the facts around distinct ``entities``, Int["u"]."""
        begin = self.offsets[entities]
        counts = self.offsets[entities + 1] - begin
        first = counts.cumsum(0) - counts
        owner = torch.repeat_interleave(torch.arange(len(entities), device=counts.device), counts)
        at = torch.arange(len(owner), device=counts.device) + (begin - first)[owner]
        return Around(first, owner, self.fact[at], self.relation[at], self.other[at])
