"""IKRL: TransE energies within and across a structural and a modal view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import SummedProjection
from lbmkgc_models.model.modal_translation import ModalTranslation, ModalTranslationConfig


@dataclass(frozen=True, kw_only=True)
class IKRLConfig(ModalTranslationConfig):
    """Settings of :class:`IKRL`; the margin belongs to the sum of energies."""


class IKRL(ModalTranslation):
    """Score gamma - [E(s,s) + E(v,v) + E(s,v) + E(v,s)], E(a,b) = ||a_h + r - b_t||_p.

    s is the structural table and v = W f a linear projection of features. An entity without
    features has v = s: its four energies are then TransE's.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Exactly one modality; the paper's is "image".
    **settings
        Fields of :class:`IKRLConfig`.

    Raises
    ------
    ValueError
        No modality or more than one, or features of another number of entities.

    References
    ----------
    Xie et al., Image-embodied Knowledge Representation Learning, IJCAI 2017, Eq. 1-4. What
    differs: the paper attends over several pictures of an entity, here the feature row is one.
    """

    Config = IKRLConfig
    citation = "Xie et al., IJCAI 2017"
    config: IKRLConfig
    one_modality: ClassVar[bool] = True
    """Which of several modalities there are is chosen for it."""

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> SummedProjection:
        """Return W."""
        if len(features) != 1:
            raise ValueError(f"IKRL takes features of one modality, got {', '.join(features)}")
        return SummedProjection(features, self.config.dim, bias=False, tuned=self.config.tuned)
