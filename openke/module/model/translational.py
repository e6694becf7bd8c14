"""What the models that translate share: TransE, and those that first project its entities."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Protocol

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor

from openke.data.batch import Side
from openke.kernels import Kind
from openke.module.interaction import translate
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count


class Translating(Protocol):
    """The settings without which a distance is not known."""

    @property
    def p_norm(self) -> int:
        """1 or 2: the distance is L1 or L2."""

    @property
    def norm_flag(self) -> bool:
        """L2-normalise h, r and t first."""

    @property
    def margin(self) -> float | None:
        """Added to the negative distance; None adds nothing."""


@dataclass(frozen=True, kw_only=True)
class TranslationalConfig:
    """Settings of :class:`Translational`; names and defaults are OpenKE's."""

    dim: Count = 100
    """Reals per entity and relation."""
    p_norm: Literal[1, 2] = 1
    """1 or 2: the distance is L1 or L2."""
    norm_flag: bool = True
    """L2-normalise h, r and t first."""
    margin: float | None = None
    """Added to the negative distance; None adds nothing."""


NEEDED = ("p_norm", "norm_flag", "margin")
"""The settings of :class:`Translating`."""


class Translational(Model):
    """Score gamma - ||h + r - t||_p of entities as :meth:`encode` or :meth:`project` returns them.

    A subclass makes the tables ``ent_embeddings`` and ``rel_embeddings``. With ``norm_flag`` this
    class normalises r; h and t are for :meth:`encode` or :meth:`project` to normalise.

    Raises
    ------
    TypeError
        The class's ``Config`` lacks one of ``p_norm``, ``norm_flag`` and ``margin``.
    """

    Config: ClassVar[type] = TranslationalConfig
    config: Translating
    margin: float
    """Gamma, 0 where no margin is set."""

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        known = {field.name for field in fields(self.Config)}
        missing = [name for name in NEEDED if name not in known]
        if missing:
            raise TypeError(
                f"{type(self).__name__}.Config has no {', '.join(missing)}: derive it from "
                "TranslationalConfig of openke.module.model"
            )
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
