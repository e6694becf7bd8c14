"""PairRE: a relation scales its heads and its tails until they meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import paired
from openke.module.model.model import Model
from openke.module.model.tables import start_bound, table
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count


@dataclass(frozen=True, kw_only=True)
class PairREConfig:
    """Settings of :class:`PairRE`; defaults are those of the published FB15k-237 run."""

    dim: Count = 1500
    """Reals per entity; a relation has 2 dim."""
    margin: float = 6.0
    """gamma: added to the negative distance."""
    epsilon: float = 2.0
    """Tables start uniform in +-(margin + epsilon) / dim."""


class PairRE(Model):
    """Score gamma - ||h r^H - t r^T||_1 with h and t scaled to length 1.

    The candidate is scaled too, so entities look different to every relation: each distinct pair
    of both is scaled once, as head and as tail, and the query's gate (1 or 0) says which of the
    two its candidates are.

    References
    ----------
    Chao et al., PairRE: Knowledge Graph Embeddings via Paired Relation Vectors, ACL 2021.
    """

    Config = PairREConfig
    citation = "Chao et al., ACL 2021"
    config: PairREConfig
    projects_entities: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        bound = start_bound("PairRE", c.margin, c.epsilon, c.dim)
        self.ent_embeddings = table(ent_tot, c.dim, bound)
        self.rel_embeddings = table(rel_tot, 2 * c.dim, bound)

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity": Float["u d"] of length 1."""
        return {"entity": F.normalize(self.ent_embeddings(entities), dim=-1)}

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return "head" and "tail", what an entity is in either slot: Float["p d"] each."""
        as_head, as_tail = paired.project(encodings["entity"], self.rel_embeddings(relation))
        return {"head": as_head, "tail": as_tail}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"], and "gate": Float["q"], 1 where tails are asked for."""
        known = anchor["head" if side == "tail" else "tail"]
        return {"query": known, "gate": known.new_full((len(known),), float(side == "tail"))}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        return self.config.margin + compare(
            "l1", query["query"], candidates["tail"], modal=candidates["head"], gate=query["gate"]
        )

    def constants(self) -> dict[str, float]:
        """Return the margin."""
        return {"margin": self.config.margin}
