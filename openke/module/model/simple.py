"""SimplE: a relation and its inverse, one DistMult each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import diagonal, simple
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class SimplEConfig:
    """Settings of :class:`SimplE`; ``dim`` is OpenKE's."""

    dim: Count = 100
    """Reals of an entity in one role, of a relation and of its inverse."""
    two_roles: bool = False
    """Entities have one vector as head and one as tail, as in the paper; OpenKE's have one."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: Xavier uniform.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


class SimplE(Bilinear):
    """Score (<h_H, r, t_T> + <t_H, r', h_T>) / 2, r' the vector of the inverse relation.

    By default an entity's vector is the same as head and as tail, as in OpenKE; the score is then
    DistMult's with (r + r') / 2 and the same with head and tail exchanged. ``two_roles=True`` is
    the paper's model. OpenKE trains by this score but ranks by <h, r, t> alone; here both are the
    score.

    References
    ----------
    Kazemi and Poole, SimplE Embedding for Link Prediction in Knowledge Graphs, NeurIPS 2018.
    """

    Config = SimplEConfig
    citation = "Kazemi and Poole, NeurIPS 2018"
    config: SimplEConfig
    linear_in_relation: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        width = 2 * c.dim if c.two_roles else c.dim
        self.ent_embeddings = table(ent_tot, width, scale=c.init_scale)
        self.rel_embeddings = table(rel_tot, c.dim, scale=c.init_scale)
        self.rel_inv_embeddings = table(rel_tot, c.dim, scale=c.init_scale)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query", as wide as an entity."""
        forward, inverse = self.rel_embeddings(relation), self.rel_inv_embeddings(relation)
        if self.config.two_roles:
            return {"query": simple.query(anchor["entity"], forward, inverse, side)}
        return {"query": diagonal.query(anchor["entity"], (forward + inverse) / 2)}

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q 2d"]."""
        h, t = head["entity"], tail["entity"]
        if self.config.two_roles:
            return simple.relation_query(h, t)
        return torch.cat([h * t, h * t], dim=-1) / 2

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return relations and their inverses side by side, Float["q 2d"]."""
        forward, inverse = self.rel_embeddings(relation), self.rel_inv_embeddings(relation)
        return torch.cat([forward, inverse], dim=-1)

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of a relation and of its inverse."""
        return self.config.dim, self.config.dim
