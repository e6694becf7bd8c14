"""ComplEx: DistMult in complex numbers, so that a relation has a direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import hermitian
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class ComplExConfig:
    """Settings of :class:`ComplEx`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Complex coordinates of an entity and of a relation (2 dim reals)."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: Xavier uniform.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


class ComplEx(Bilinear):
    """Score Re sum_k h_k r_k conj(t_k).

    References
    ----------
    Trouillon et al., Complex Embeddings for Simple Link Prediction, ICML 2016.
    """

    Config = ComplExConfig
    citation = "Trouillon et al., ICML 2016"
    config: ComplExConfig
    linear_in_relation: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_re_embeddings = table(ent_tot, c.dim, scale=c.init_scale)
        self.ent_im_embeddings = table(ent_tot, c.dim, scale=c.init_scale)
        self.rel_re_embeddings = table(rel_tot, c.dim, scale=c.init_scale)
        self.rel_im_embeddings = table(rel_tot, c.dim, scale=c.init_scale)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q 2d"]."""
        return {
            "query": hermitian.query(anchor["entity"], self.relation_embeddings(relation), side)
        }

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q 2d"]."""
        return hermitian.relation_query(head["entity"], tail["entity"])

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return real and imaginary parts side by side, Float["u 2d"]."""
        real, imaginary = self.ent_re_embeddings(entities), self.ent_im_embeddings(entities)
        return torch.cat([real, imaginary], dim=-1)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return real and imaginary parts side by side, Float["q 2d"]."""
        real, imaginary = self.rel_re_embeddings(relation), self.rel_im_embeddings(relation)
        return torch.cat([real, imaginary], dim=-1)

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return the moduli of complex coordinates, Float["u d"]."""
        return hermitian.modulus(rows)

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return the moduli of complex coordinates, Float["q d"]."""
        return hermitian.modulus(rows)
