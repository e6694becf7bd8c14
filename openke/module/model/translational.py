"""What the models that translate share: TransE, and those that first project its entities."""

from __future__ import annotations

from typing import Any, Protocol

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor

from openke.data.batch import Side
from openke.kernels import Kind
from openke.module.interaction import translate
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings


class TranslationalConfig(Protocol):
    """The settings that every translating model has."""

    @property
    def p_norm(self) -> int:
        """1 or 2: the distance is L1 or L2."""

    @property
    def norm_flag(self) -> bool:
        """L2-normalise h, r and t first."""

    @property
    def margin(self) -> float | None:
        """Added to the negative distance; None adds nothing."""


class Translational(Model):
    """Score gamma - ||h + r - t||_p of entities as :meth:`encode` or :meth:`project` returns them.

    A subclass makes the tables ``ent_embeddings`` and ``rel_embeddings``.
    """

    config: TranslationalConfig
    margin: float
    """Gamma, 0 where no margin is set."""

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        self.margin = self.margin or 0.0

    @property
    def kind(self) -> Kind:
        """The kernel of the distance."""
        return "l1" if self.config.p_norm == 1 else "l2"

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query": Float["q d"]."""
        vector = self._normalise(self.rel_embeddings(relation))
        return {"query": translate.query(anchor["entity"], vector, side)}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        return self.margin + compare(self.kind, query["query"], candidates["entity"])

    def constants(self) -> dict[str, float]:
        """Return the margin where there is one."""
        return {} if self.config.margin is None else {"margin": self.config.margin}

    def _normalise(self, rows: Tensor) -> Tensor:
        return F.normalize(rows, dim=-1) if self.config.norm_flag else rows
