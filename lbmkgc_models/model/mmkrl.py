"""MMKRL: translated structure and modalities, held together by losses of their distances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import JointProjection, SummedProjection
from lbmkgc_models.model.modal_translation import ModalTranslation, ModalTranslationConfig
from openke.data.batch import Side
from openke.kernels.product import Linear
from openke.module.interaction import translate
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings

NOISE = "noise"
"""A view, Float["u d"], that :meth:`MMKRL.fuse` adds where there is one."""
ALIGNMENT = "alignment"
DISTANCES = "distances"


@dataclass(frozen=True, kw_only=True)
class MMKRLConfig(ModalTranslationConfig):
    """Settings of :class:`MMKRL`; the margin belongs to the mean of the energies."""


class MMKRL(ModalTranslation):
    """Score gamma - 1/4 [E(h',t') + E(m_h,m_t) + E(m_h,t) + E(h,m_t)], E(a,b) = ||a + r' - b||_p.

    h' = S h + b_h, t' = S t + b_t and r' = S r + b_r are structure mapped by one matrix, m =
    W [v ; x] + b is one projection of all features. A modality that an entity lacks adds nothing to
    its m; without any, m is its structural row. With ``norm_flag`` all of these are L2-normalised
    first.

    The auxiliary loss "alignment" is |h - h'|^2 + |t - t'|^2 + |r - r'|^2 + |U h - m_h|^2 +
    |U t - m_t|^2, each the mean over coordinates and over all triples scored, rows not normalised.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one.
    **settings
        Fields of :class:`MMKRLConfig`.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.

    References
    ----------
    Lu et al., MMKRL: A Robust Embedding Approach for Multi-Modal Knowledge Graph Representation
    Learning, Applied Intelligence 2022. This is the form that later comparisons call MMKRL. There
    MarginLoss has the alignment added with weight 1 (``training.auxiliary``), and the objective
    "noise" is its adversarial training, which adds a view "noise" to h', t' and m.
    """

    Config = MMKRLConfig
    citation = "Lu et al., Applied Intelligence 2022"
    config: MMKRLConfig
    auxiliary_losses: ClassVar[tuple[str, ...]] = (ALIGNMENT,)
    unscored_encodings: ClassVar[tuple[str, ...]] = (DISTANCES,)
    noise_view = NOISE
    moves_whole = False
    energies = (("modal", "modal"), ("modal", "entity"), ("entity", "modal"))
    """Those beside E(h', t')."""

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        dim = self.config.dim
        self.mapping = Linear(dim, dim, bias=False)
        """S"""
        self.alignment = Linear(dim, dim, bias=False)
        """U"""
        self.head_bias, self.tail_bias, self.relation_bias = (
            nn.Parameter(torch.randn(dim)) for _ in range(3)
        )

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> JointProjection:
        """Return W and b."""
        return SummedProjection(features, self.config.dim, **self.config.rows)

    def fuse(self, views: Encodings) -> Encodings:
        """Return "entity", "modal", "as head" and "as tail": Float["u d"] each; and "distances".

        "distances", Float["u 3"], are those of alignment: of s and s as head, of s and s as tail,
        of U s and m. A view "noise", Float["u d"], is added to all but s.
        """
        structural = views["entity"]
        mapped = self.mapping(structural)
        parts = {
            "as head": mapped + self.head_bias,
            "as tail": mapped + self.tail_bias,
            "modal": self.projectors.joint(views, structural),
        }
        if NOISE in views:
            parts = {name: rows + views[NOISE] for name, rows in parts.items()}
        distances = [
            (structural - parts["as head"]).square().mean(dim=1),
            (structural - parts["as tail"]).square().mean(dim=1),
            (self.alignment(structural) - parts["modal"]).square().mean(dim=1),
        ]
        parts["entity"] = structural
        return {
            **{name: self._normalise(rows) for name, rows in parts.items()},
            DISTANCES: torch.stack(distances, dim=1),
        }

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the translated parts of the known entity, Float["q d"] each, and "gate".

        "gate", Float["q"], is 1 where tails are asked for.
        """
        vector = self._normalise(self.translation(relation))
        known = {
            "mapped": anchor["as head" if side == "tail" else "as tail"],
            "entity": anchor["entity"],
            "modal": anchor["modal"],
        }
        found = {part: translate.query(rows, vector, side) for part, rows in known.items()}
        return {**found, "gate": vector.new_full((len(vector),), float(side == "tail"))}

    def translation(self, relation: Tensor) -> Tensor:
        """Return r' of relations: Float["q d"]."""
        mapped: Tensor = self.mapping(self.rel_embeddings(relation)) + self.relation_bias
        return mapped

    def closeness(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return minus the mean of the four energies."""
        mapped = compare(
            self.kind,
            query["mapped"],
            candidates["as tail"],
            modal=candidates["as head"],
            gate=query["gate"],
        )
        return (mapped + super().closeness(query, candidates, compare)) / 4

    def auxiliary_loss(
        self, name: str, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return the alignment, a scalar; see the class."""
        if name != ALIGNMENT:
            return super().auxiliary_loss(name, rows, head, relation, tail)
        as_head, as_tail, modal = rows[DISTANCES].unbind(dim=1)
        vectors: Tensor = self.rel_embeddings.weight
        mapped: Tensor = self.mapping(vectors) + self.relation_bias
        of_relations = (vectors - mapped).square().mean(dim=1)
        of_entities = (as_head + modal)[head] + (as_tail + modal)[tail]
        return (of_entities + of_relations[relation]).mean()
