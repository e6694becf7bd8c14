"""TransR: a relation carries the head to the tail in a space of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from openke.module.interaction import matrix
from openke.module.model.tables import table
from openke.module.model.translational import Translational
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Scores
from openke.runtime.values import Count


@dataclass(frozen=True, kw_only=True)
class TransRConfig:
    """Settings of :class:`TransR`; names and defaults are OpenKE's."""

    dim_e: Count = 100
    """Reals per entity."""
    dim_r: Count = 100
    """Reals per relation, and of an entity as a relation sees it."""
    p_norm: Literal[1, 2] = 1
    """1 or 2: the distance is L1 or L2."""
    norm_flag: bool = True
    """L2-normalise the projected h and t, and r."""
    rand_init: bool = False
    """Matrices start Xavier uniform; False: as the identity, so that TransE's tables fit."""
    margin: float | None = None
    """Added to the negative distance; None adds nothing."""


class TransR(Translational):
    """Score gamma - ||h M_r + r - t M_r||_p with a matrix M_r [dim_e, dim_r] for each relation.

    The paper starts it from trained TransE tables:
    ``transr.set_parameters(transe.get_parameters())``.

    References
    ----------
    Lin et al., Learning Entity and Relation Embeddings for Knowledge Graph Completion, AAAI 2015.
    What differs, as in OpenKE: the distance is not squared, and with ``norm_flag`` vectors have
    length 1, where the paper bounds it by 1.
    """

    Config = TransRConfig
    citation = "Lin et al., AAAI 2015"
    config: TransRConfig
    projects_entities: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        self.ent_embeddings = table(ent_tot, c.dim_e)
        self.rel_embeddings = table(rel_tot, c.dim_r)
        self.transfer_matrix = table(rel_tot, c.dim_e * c.dim_r)
        if not c.rand_init:
            identity = torch.eye(c.dim_e, c.dim_r).view(1, -1)
            self.transfer_matrix.weight.data.copy_(identity.expand(rel_tot, -1))

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return "entity": Float["p dim_r"] in the relations' spaces."""
        c = self.config
        matrices = self.transfer_matrix.weight.view(-1, c.dim_e, c.dim_r)
        return {"entity": self._normalise(matrix.project(encodings["entity"], matrices, relation))}

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return r and the matrix side by side, Float["q dim_r+dim_e*dim_r"]."""
        return torch.cat([self.rel_embeddings(relation), self.transfer_matrix(relation)], dim=-1)

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of r and of the matrix."""
        return self.config.dim_r, self.config.dim_e * self.config.dim_r

    def regularization(self, scores: Scores) -> Tensor:
        """Return the square of the mean over h, t, r and M_r of their mean squares, as OpenKE."""
        return super().regularization(scores).square()
