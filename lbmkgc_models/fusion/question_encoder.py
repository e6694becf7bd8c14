"""A triple with a hole as a set of three tokens: what stands in the hole, by the two others."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lbmkgc_models.fusion.modal_tokens import xavier_rows
from lbmkgc_models.fusion.set_encoder import SetEncoder
from openke.data.batch import Side


class QuestionEncoder(nn.Module):
    """Layers over (a_h + q_H, r + q_R, m + q_T), m being a vector that stands for the hole.

    Where the head is asked for, m stands for it and a_t for the tail.

    Parameters
    ----------
    dim, layers, heads, hidden, dropout
        See :class:`.SetEncoder`.
    """

    def __init__(self, dim: int, *, layers: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.hole = nn.Parameter(xavier_rows(1, dim)[0])
        self.head, self.relation, self.tail = (nn.Parameter(row) for row in xavier_rows(3, dim))
        self.encoder = SetEncoder(dim, layers=layers, heads=heads, hidden=hidden, dropout=dropout)

    def forward(
        self, anchor: Tensor, relation: Tensor, side: Side, *, with_relation: bool = False
    ) -> tuple[Tensor, ...]:
        """Return Float["q d"] at the hole; and at the relation, if asked for.

        Parameters
        ----------
        anchor, relation
            Float["q d"], vectors of the known entities and of the relations.
        side
            Where the hole is.
        """
        known, asked = (self.head, self.tail) if side == "tail" else (self.tail, self.head)
        hole = (self.hole + asked).expand_as(anchor)
        tokens = torch.stack([hole, relation + self.relation, anchor + known], dim=1)
        found: Tensor = self.encoder(tokens, None, 1 + with_relation)
        return found.unbind(1)
