"""RESCAL: a full matrix for each relation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import bilinear
from openke.module.model.bilinear import Bilinear
from openke.module.model.tables import table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive


@dataclass(frozen=True, kw_only=True)
class RESCALConfig:
    """Settings of :class:`RESCAL`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Reals per entity; a relation has dim^2."""
    init_scale: Positive | None = None
    """Tables start normal with this standard deviation; None: Xavier uniform.
    Small ones, 1e-3, suit training against all entities (Lacroix et al., ICML 2018)."""


class RESCAL(Bilinear):
    """Score h^T M_r t.

    OpenKE trains it by MarginLoss towards high h^T M_r t and then ranks low values first; here
    high is better in both, and files trained so keep their meaning. Those that OpenKE trained by
    SoftplusLoss or SigmoidLoss are reversed: negate their ``rel_matrices.weight``.

    References
    ----------
    Nickel et al., A Three-Way Model for Collective Learning on Multi-Relational Data, ICML 2011.
    """

    Config = RESCALConfig
    citation = "Nickel et al., ICML 2011"
    config: RESCALConfig

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_embeddings = table(ent_tot, c.dim, scale=c.init_scale)
        self.rel_matrices = table(rel_tot, c.dim * c.dim, scale=c.init_scale)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"]."""
        matrices = self.rel_matrices.weight.view(-1, self.config.dim, self.config.dim)
        return {"query": bilinear.query(anchor["entity"], matrices, relation, side)}

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the matrices, Float["q d*d"]."""
        rows: Tensor = self.rel_matrices(relation)
        return rows

    def from_openke(self, entries: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return OpenKE's ``entries`` as they are: right where MarginLoss trained them."""
        warnings.warn(
            "RESCAL: tables of OpenKE fit where MarginLoss trained them; after SoftplusLoss or "
            "SigmoidLoss they are reversed: negate rel_matrices.weight",
            stacklevel=4,
        )
        return entries
