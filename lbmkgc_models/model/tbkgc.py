"""TBKGC: TransE energies of structure, of joint modalities, across both and of their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import ConcatenatedProjection, JointProjection
from lbmkgc_models.model.modal_translation import (
    STRUCTURE_AND_MODALITY,
    ModalTranslation,
    ModalTranslationConfig,
)
from openke.module.scoring.encodings import Encodings


@dataclass(frozen=True, kw_only=True)
class TBKGCConfig(ModalTranslationConfig):
    """Settings of :class:`TBKGC`; the margin belongs to the sum of energies."""


class TBKGC(ModalTranslation):
    """Score gamma - [E(s,s) + E(m,m) + E(s,m) + E(m,s) + E(s+m,s+m)], E(a,b) = ||a_h + r - b_t||_p.

    s is the structural table and m = [W_v v + b_v ; W_x x + b_x] the projections of picture and
    text features beside each other, d/2 reals each; of one modality alone all d. An entity that
    lacks a modality has the numbers of s in its place: without any, m = s.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one.
    **settings
        Fields of :class:`TBKGCConfig`.

    Raises
    ------
    ValueError
        No modality, more modalities than reals, or features of another number of entities.

    References
    ----------
    Mousselly-Sergieh et al., A Multimodal Translation-Based Approach for Knowledge Graph
    Representation Learning, StarSEM 2018. This is the form that later comparisons call TBKGC. The
    paper has s and r of a trained TransE, frozen, behind one shared tanh layer, the features of an
    entity behind another, and a hinge for heads with -r beside that for tails.
    """

    Config = TBKGCConfig
    citation = "Mousselly-Sergieh et al., StarSEM 2018"
    config: TBKGCConfig
    energies: ClassVar[tuple[tuple[str, str], ...]] = (*STRUCTURE_AND_MODALITY, ("sum", "sum"))

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> JointProjection:
        """Return W_v and W_x."""
        return ConcatenatedProjection(features, self.config.dim, tuned=self.config.tuned)

    def parts(self, structural: Tensor, modal: Tensor) -> Encodings:
        """Return "entity", "modal" and "sum", s + m: Float["u d"] each."""
        return {"entity": structural, "modal": modal, "sum": structural + modal}
