"""TransE: a relation carries the head to the tail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor

from openke.data.batch import Side
from openke.kernels import Kind
from openke.module.interaction import translate
from openke.module.model.model import Model, table
from openke.module.model.scoring import Compare, Rows
from openke.module.settings import at_least


@dataclass(frozen=True, kw_only=True)
class TransEConfig:
    """Settings of :class:`TransE`; names and defaults are OpenKE's."""

    dim: int = 100
    """Reals per entity and relation."""
    p_norm: int = 1
    """1 or 2: the distance is L1 or L2."""
    norm_flag: bool = True
    """L2-normalise h, r and t first."""
    margin: float | None = None
    """Added to the negative distance; None adds nothing."""
    epsilon: float | None = None
    """With ``margin``: tables start uniform in +-(margin + epsilon) / dim, else Xavier uniform."""

    def __post_init__(self) -> None:
        """Check the values."""
        at_least("TransE", "dim", self.dim, 1)
        if self.p_norm not in (1, 2):
            raise ValueError(f"TransE: p_norm is {self.p_norm}, expected 1 or 2")


class TransE(Model):
    """Score gamma - ||h + r - t||_p (gamma 0 without a margin).

    References
    ----------
    Bordes et al., Translating Embeddings for Modeling Multi-relational Data, NIPS 2013.
    """

    Config = TransEConfig
    citation = "Bordes et al., NIPS 2013"
    config: TransEConfig

    def __init__(self, ent_tot: int, rel_tot: int, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        started = c.margin is not None and c.epsilon is not None
        bound = (c.margin + c.epsilon) / c.dim if started else None  # type: ignore[operator]
        self.ent_embeddings = table(ent_tot, c.dim, bound)
        self.rel_embeddings = table(rel_tot, c.dim, bound)
        self.margin = c.margin or 0.0
        self.kind: Kind = "l1" if c.p_norm == 1 else "l2"

    def encode(self, entities: Tensor) -> Rows:
        """Return "entity": Float["u d"], normalised where ``norm_flag`` says so."""
        return {"entity": self._normalise(self.ent_embeddings(entities))}

    def query(self, anchor: Rows, relation: Tensor, side: Side) -> Rows:
        """Return "query": Float["q d"]."""
        vector = self._normalise(self.rel_embeddings(relation))
        return {"query": translate.query(anchor["entity"], vector, side)}

    def match(self, query: Rows, candidates: Rows, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        return self.margin + compare(self.kind, query["query"], candidates["entity"])

    def structure(self, entities: Tensor) -> Tensor:
        """Return the entity table's rows, before normalisation."""
        rows: Tensor = self.ent_embeddings(entities)
        return rows

    def relation_rows(self, relation: Tensor) -> Tensor:
        """Return the relation table's rows, before normalisation."""
        rows: Tensor = self.rel_embeddings(relation)
        return rows

    def _normalise(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=-1) if self.config.norm_flag else rows
