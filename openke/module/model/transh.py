"""TransH: a relation carries the head to the tail on a hyperplane of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.module.interaction import hyperplane
from openke.module.model.tables import start_bound, table
from openke.module.model.translational import Translational, TranslationalConfig
from openke.module.scoring.encodings import Encodings


@dataclass(frozen=True, kw_only=True)
class TransHConfig(TranslationalConfig):
    """Settings of :class:`TransH`; names and defaults are OpenKE's."""

    norm_flag: bool = True
    """L2-normalise the projected h and t, and r."""
    epsilon: float | None = None
    """With ``margin``: tables start uniform in +-(margin + epsilon) / dim, else Xavier uniform."""


class TransH(Translational):
    """Score gamma - ||h' + r - t'||_p, e' = e - (e . n_r) n_r with a normal n_r of length 1.

    References
    ----------
    Wang et al., Knowledge Graph Embedding by Translating on Hyperplanes, AAAI 2014. What differs,
    as in OpenKE: the distance is not squared, and r is not held orthogonal to n_r.
    """

    Config = TransHConfig
    citation = "Wang et al., AAAI 2014"
    config: TransHConfig
    projects_entities: ClassVar[bool] = True

    def __init__(self, ent_tot: int, rel_tot: int, *values: Any, **settings: Any) -> None:
        super().__init__(ent_tot, rel_tot, *values, **settings)
        c = self.config
        bound = start_bound("TransH", c.margin, c.epsilon, c.dim)
        self.ent_embeddings = table(ent_tot, c.dim, bound)
        self.rel_embeddings = table(rel_tot, c.dim, bound)
        self.norm_vector = table(rel_tot, c.dim, bound)

    def project(self, encodings: Encodings, relation: Tensor) -> Encodings:
        """Return "entity": Float["p d"] on the hyperplanes, normalised with ``norm_flag``."""
        projected = hyperplane.project(encodings["entity"], self.norm_vector(relation))
        return {"entity": self._normalise(projected)}

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return r and the stored normal side by side, Float["q 2d"]."""
        return torch.cat([self.rel_embeddings(relation), self.norm_vector(relation)], dim=-1)

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the widths of r and of the normal."""
        return self.config.dim, self.config.dim
