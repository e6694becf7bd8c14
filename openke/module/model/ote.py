"""OTE: a relation turns and scales groups of the head's coordinates into the tail's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from openke.data.batch import Side
from openke.module.interaction import matrix, orthogonal
from openke.module.model.model import Model
from openke.module.model.tables import table
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count

ENTITY_BOUND = 0.01
"""Entities start uniform in +- this, as in the authors' code."""


@dataclass(frozen=True, kw_only=True)
class OTEConfig:
    """Settings of :class:`OTE`; defaults are those of the published FB15k-237 run."""

    dim: Count = 400
    """Reals per entity; a relation has dim (group + 1)."""
    group: Count = 20
    """Coordinates that a relation turns together; it divides ``dim``."""
    margin: float = 15.0
    """gamma: added to the negative distance."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        if self.dim % self.group:
            raise ValueError(f"OTE.dim is {self.dim}; expected a multiple of group, {self.group}")


class OTE(Model):
    """Score gamma - sum_g ||h_g M_rg e^{s_rg} - t_g||, or, asked for heads, of t M^T e^-s and h.

    M_rg is orthogonal, made of a free matrix by Gram-Schmidt; s are logarithms of scales. Scales
    follow the turn both ways, so the two distances of a triple differ.

    References
    ----------
    Tang et al., Orthogonal Relation Transforms with Graph Context Modeling for Knowledge Graph
    Embedding, ACL 2020, section 3.1. The authors' code scales before it turns.
    """

    Config = OTEConfig
    citation = "Tang et al., ACL 2020"
    config: OTEConfig
    asymmetric_queries = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_embeddings = table(ent_tot, c.dim, ENTITY_BOUND)
        self.rel_matrices = nn.Embedding(rel_tot, c.dim * c.group)
        self.rel_scales = nn.Embedding(rel_tot, c.dim)
        nn.init.uniform_(self.rel_matrices.weight)
        nn.init.zeros_(self.rel_scales.weight)
        with torch.no_grad():
            turns = orthogonal.gram_schmidt(self._matrices(self.rel_matrices.weight))
            self.rel_matrices.weight.copy_(turns.reshape(rel_tot, -1))

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"]."""
        return {"query": self.move(anchor["entity"], relation, side)}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        c = self.config
        found = orthogonal.distance(compare, c.group, query["query"], candidates["entity"])
        return c.margin + found

    def move(self, vectors: Tensor, relation: Tensor, side: Side) -> Tensor:
        """Return where the entities in slot ``side`` should lie; each matrix is made once."""
        distinct, index = matrix.distinct(relation, self.rel_tot)
        turns = orthogonal.gram_schmidt(self._matrices(self.rel_matrices(distinct)))
        matrices = orthogonal.scaled(turns, self.rel_scales(distinct), side)
        return orthogonal.transform(vectors, matrices, index)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the free matrices and the logarithms of scales side by side."""
        return torch.cat([self.rel_matrices(relation), self.rel_scales(relation)], dim=-1)

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of the matrices and of the scales."""
        return self.config.dim * self.config.group, self.config.dim

    def constants(self) -> dict[str, float]:
        """Return the margin."""
        return {"margin": self.config.margin}

    def _matrices(self, rows: Tensor) -> Tensor:
        """Return rows of the table as Float["m g s s"]."""
        c = self.config
        return rows.view(-1, c.dim // c.group, c.group, c.group)
