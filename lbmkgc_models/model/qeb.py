"""QEB: TBKGC's energies under two vectors of each relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import JointProjection, SummedProjection
from lbmkgc_models.model.tbkgc import TBKGC, TBKGCConfig
from openke.data.batch import Side
from openke.module.interaction import translate
from openke.module.model.tables import start_bound, table
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings

BY_MODAL_RELATION = " by r_m"
"""What the names of queries under r_m end in."""


@dataclass(frozen=True, kw_only=True)
class QEBConfig(TBKGCConfig):
    """Settings of :class:`QEB`; the margin belongs to the mean of energies."""


class QEB(TBKGC):
    """Score gamma - mean of ten energies: TBKGC's five under r, and the five under r_m.

    With E_x(a,b) = ||a_h + x - b_t||_p the five are E_x(s,s), E_x(m,m), E_x(m,s), E_x(s,m) and
    E_x(s+m,s+m); r and r_m are two tables of relations. s is the structural table of entities and
    m = W [v ; x] + b one projection of all features. A modality that an entity lacks adds nothing
    to its m; without any, m = s.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one.
    **settings
        Fields of :class:`QEBConfig`.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.

    References
    ----------
    Wang et al., TIVA-KG: A Multimodal Knowledge Graph with Text, Image, Video and Audio, ACM MM
    2023: the Quadruple Embedding Baseline. The default is what later comparisons call QEB. The
    paper's form has ``tanh``, ``structure_dim`` 40 of a trained TransE (:meth:`keep_structure`),
    ``norm_flag`` False and ``missing`` "trained"; it sums the energies, so its margin of 10 is one
    of 1 here. r_m is behind no layer. Later comparisons also train the features (``tuned``).
    """

    Config = QEBConfig
    citation = "Wang et al., ACM MM 2023"
    config: QEBConfig
    energies = (
        *TBKGC.energies,
        *((known + BY_MODAL_RELATION, other) for known, other in TBKGC.energies),
    )

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        c = self.config
        bound = start_bound("QEB", c.margin, c.epsilon, c.dim)
        self.modal_rel_embeddings = table(rel_tot, c.dim, bound)

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> JointProjection:
        """Return W and b."""
        c = self.config
        return SummedProjection(features, c.dim, tanh=c.tanh, **c.rows)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return r and r_m beside each other, Float["q 2d"]."""
        return torch.cat(
            [self.rel_embeddings(relation), self.modal_rel_embeddings(relation)], dim=1
        )

    def relation_part_widths(self) -> tuple[int, int]:
        """Return the widths of r and of r_m."""
        return self.rel_embeddings.embedding_dim, self.config.dim

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the parts of the known entity translated by r, and by r_m: Float["q d"] each."""
        vector = self._normalise(self.modal_rel_embeddings(relation))
        by_modal = {
            part + BY_MODAL_RELATION: translate.query(rows, vector, side)
            for part, rows in anchor.items()
        }
        return {**super().query(anchor, relation, side), **by_modal}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus the mean of the ten energies."""
        return self.margin + self.closeness(query, candidates, compare) / len(self.energies)
