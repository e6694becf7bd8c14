"""RotatE: a relation turns the head into the tail."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import hermitian, rotate
from openke.module.model.model import Model
from openke.module.model.tables import table
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive, check_value


@dataclass(frozen=True, kw_only=True)
class RotatEConfig:
    """Settings of :class:`RotatE`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Complex coordinates of an entity (2 dim reals), phases of a relation."""
    margin: float = 6.0
    """gamma: added to the negative distance."""
    epsilon: float = 2.0
    """Entities start uniform in +-(margin + epsilon) / 2 dim, phases uniform in +-pi."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        check_value("margin + epsilon", self.margin + self.epsilon, Positive)


class Phases:
    """Relation phases stored on the scale of the entity table, as OpenKE trains them.

    Stored r is uniform in +-(margin + epsilon) / dim; the phase is r pi dim / (margin + epsilon),
    so one learning rate fits entities and relations.
    """

    def __init__(self, dim: int, margin: float, epsilon: float) -> None:
        self.bound = (margin + epsilon) / dim
        self.entity_bound = (margin + epsilon) / (2 * dim)

    def __call__(self, stored: Tensor) -> Tensor:
        """Return phases in radians."""
        return stored * (math.pi / self.bound)


class RotatE(Model):
    """Score gamma - sum_k |h_k e^{i theta_rk} - t_k| over the complex coordinates.

    References
    ----------
    Sun et al., RotatE: Knowledge Graph Embedding by Relational Rotation in Complex Space,
    ICLR 2019.
    """

    Config = RotatEConfig
    citation = "Sun et al., ICLR 2019"
    config: RotatEConfig

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.dim_e, self.dim_r = 2 * c.dim, c.dim  # OpenKE's attributes
        self.phases = Phases(c.dim, c.margin, c.epsilon)
        self.ent_embeddings = table(ent_tot, 2 * c.dim, self.phases.entity_bound)
        self.rel_embeddings = table(rel_tot, c.dim, self.phases.bound)

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q 2d"]."""
        phase = self.phases(self.rel_embeddings(relation))
        return {"query": rotate.query(anchor["entity"], phase, side)}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        return self.config.margin + compare("complex", query["query"], candidates["entity"])

    def entity_moduli(self, rows: Tensor) -> Tensor:
        """Return the moduli of complex coordinates, Float["u d"]."""
        return hermitian.modulus(rows)

    def relation_moduli(self, rows: Tensor) -> Tensor:
        """Return Float["q 0"]: a phase has nothing to shrink, its factor e^{i theta} being 1."""
        return rows[:, :0]

    def constants(self) -> dict[str, float]:
        """Return the margin and the bound that makes phases of stored relations."""
        return {"margin": self.config.margin, "rel_embedding_range": self.phases.bound}
