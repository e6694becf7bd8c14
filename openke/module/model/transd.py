"""TransD: entity and relation together make the matrix that projects an entity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from openke.module.interaction import dynamic
from openke.module.model.tables import start_bound, table
from openke.module.model.translational import Translational
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count


@dataclass(frozen=True, kw_only=True)
class TransDConfig:
    """Settings of :class:`TransD`; names and defaults are OpenKE's."""

    dim_e: Count = 100
    """Reals of an entity and of its projection vector."""
    dim_r: Count = 100
    """Reals of a relation, of its projection vector, and of an entity as it sees it."""
    p_norm: Literal[1, 2] = 1
    """1 or 2: the distance is L1 or L2."""
    norm_flag: bool = True
    """L2-normalise r; projected entities always are."""
    margin: float | None = None
    """Added to the negative distance; None adds nothing."""
    epsilon: float | None = None
    """With ``margin``: entity tables start uniform in +-(margin + epsilon) / dim_e and relation
    tables in +-(margin + epsilon) / dim_r, else Xavier uniform."""


class TransD(Translational):
    """Score gamma - ||h' + r - t'||_p, e' = (r_p e_p^T + I) e scaled to length 1.

    References
    ----------
    Ji et al., Knowledge Graph Embedding via Dynamic Mapping Matrix, ACL 2015. What differs, as in
    OpenKE: the distance is not squared, and projected vectors have length 1, where the paper
    bounds it by 1. Unlike OpenKE, ``dim_e < dim_r`` works: e is filled up with zeros.
    """

    Config = TransDConfig
    citation = "Ji et al., ACL 2015"
    config: TransDConfig
    projects_entities: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        entity_bound = start_bound("TransD", c.margin, c.epsilon, c.dim_e)
        relation_bound = start_bound("TransD", c.margin, c.epsilon, c.dim_r)
        self.ent_embeddings = table(ent_tot, c.dim_e, entity_bound)
        self.rel_embeddings = table(rel_tot, c.dim_r, relation_bound)
        self.ent_transfer = table(ent_tot, c.dim_e, entity_bound)
        self.rel_transfer = table(rel_tot, c.dim_r, relation_bound)

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity" and "transfer": Float["u dim_e"] each."""
        return {"entity": self.ent_embeddings(entities), "transfer": self.ent_transfer(entities)}

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return "entity": Float["p dim_r"] of length 1."""
        transfer = self.rel_transfer(relation)
        return {"entity": dynamic.project(encodings["entity"], encodings["transfer"], transfer)}

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return entities and their projection vectors side by side, Float["u 2dim_e"]."""
        return torch.cat([self.ent_embeddings(entities), self.ent_transfer(entities)], dim=-1)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return relations and their projection vectors side by side, Float["q 2dim_r"]."""
        return torch.cat([self.rel_embeddings(relation), self.rel_transfer(relation)], dim=-1)
