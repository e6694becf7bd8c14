"""HolE: head and tail compressed by circular correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import holographic
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import start_bound, table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class HolEConfig:
    """Settings of :class:`HolE`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Reals per entity and relation."""
    margin: float | None = None
    """Only for how tables start; it is no part of the score."""
    epsilon: float | None = None
    """With ``margin``: tables start uniform in +-(margin + epsilon) / dim, else Xavier uniform."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: as ``epsilon`` says.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


class HolE(Bilinear):
    """Score r . (h star t), (h star t)_k = sum_i h_i t_(i+k mod d).

    References
    ----------
    Nickel et al., Holographic Embeddings of Knowledge Graphs, AAAI 2016; the paper puts a sigmoid
    around the score, which belongs to the loss here, as in OpenKE.
    """

    Config = HolEConfig
    citation = "Nickel et al., AAAI 2016"
    config: HolEConfig
    linear_in_relation: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        bound = start_bound("HolE", c.margin, c.epsilon, c.dim)
        self.ent_embeddings = table(ent_tot, c.dim, bound, c.init_scale)
        self.rel_embeddings = table(rel_tot, c.dim, bound, c.init_scale)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"]."""
        r = self.rel_embeddings(relation)
        return {"query": holographic.query(anchor["entity"], r, side)}

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q d"], h star t."""
        return holographic.query(tail["entity"], head["entity"], "head")
