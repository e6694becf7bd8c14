"""DistMult: a diagonal matrix for each relation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import diagonal
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import start_bound, table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class DistMultConfig:
    """Settings of :class:`DistMult`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Reals per entity and relation."""
    margin: float | None = None
    """Only for how tables start; it is no part of the score."""
    epsilon: float | None = None
    """With ``margin``: tables start uniform in +-(margin + epsilon) / dim, else Xavier uniform."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: as ``epsilon`` says.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


class DistMult(Bilinear):
    """Score sum_k h_k r_k t_k, which is the same with head and tail exchanged.

    References
    ----------
    Yang et al., Embedding Entities and Relations for Learning and Inference in Knowledge Bases,
    ICLR 2015.
    """

    Config = DistMultConfig
    citation = "Yang et al., ICLR 2015"
    config: DistMultConfig
    linear_in_relation: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        bound = start_bound("DistMult", c.margin, c.epsilon, c.dim)
        self.ent_embeddings = table(ent_tot, c.dim, bound, c.init_scale)
        self.rel_embeddings = table(rel_tot, c.dim, bound, c.init_scale)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"], the same for both sides."""
        return {"query": diagonal.query(anchor["entity"], self.rel_embeddings(relation))}

    def relation_query(self, head: Encodings, tail: Encodings) -> Tensor:
        """Return Float["q d"]."""
        return diagonal.query(head["entity"], tail["entity"])
