"""TransE: a relation carries the head to the tail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from openke.module.model.tables import start_bound, table
from openke.module.model.translational import Translational, TranslationalConfig
from openke.module.scoring.encodings import Encodings


@dataclass(frozen=True, kw_only=True)
class TransEConfig(TranslationalConfig):
    """Settings of :class:`TransE`; names and defaults are OpenKE's."""

    epsilon: float | None = None
    """With ``margin``: tables start uniform in +-(margin + epsilon) / dim, else Xavier uniform."""


class TransE(Translational):
    """Score gamma - ||h + r - t||_p (gamma 0 without a margin).

    References
    ----------
    Bordes et al., Translating Embeddings for Modeling Multi-relational Data, NIPS 2013.
    """

    Config = TransEConfig
    citation = "Bordes et al., NIPS 2013"
    config: TransEConfig

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        bound = start_bound("TransE", c.margin, c.epsilon, c.dim)
        self.ent_embeddings = table(ent_tot, c.dim, bound)
        self.rel_embeddings = table(rel_tot, c.dim, bound)

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity": Float["u d"], normalised where ``norm_flag`` says so."""
        return {"entity": self._normalise(self.ent_embeddings(entities))}
