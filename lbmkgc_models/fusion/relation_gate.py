"""Relation gate: how much of an entity is structure for a relation."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RelationGate(nn.Module):
    """How much of an entity is structure for a relation, zeta_r = sigmoid(g_r), one scalar each.

    Parameters
    ----------
    rel_tot
        Number of relations.
    bound
        g starts uniform in +-bound.

    References
    ----------
    LBMKGC Eq. 11.
    """

    def __init__(self, rel_tot: int, bound: float) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.empty(rel_tot).uniform_(-bound, bound))

    def forward(self, relation: Tensor) -> Tensor:
        """Return zeta_r, Float["q"], of Int["q"]."""
        return self.logit[relation].sigmoid()
