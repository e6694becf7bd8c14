"""IKRL: TransE energies within and across a structural and a modal view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import SummedProjection
from lbmkgc_models.model.modal_translation import ModalTranslation, ModalTranslationConfig
from openke.module.scoring.encodings import Encodings, presence


@dataclass(frozen=True, kw_only=True)
class IKRLConfig(ModalTranslationConfig):
    """Settings of :class:`IKRL`; the margin belongs to the sum of energies."""


class IKRL(ModalTranslation):
    """Score gamma - [E(s,s) + E(v,v) + E(s,v) + E(v,s)], E(a,b) = ||a_h + r - b_t||_p.

    s is the structural table and v = W f a linear projection of features. An entity without
    features has v = s: its four energies are then TransE's. Of several pictures of an entity v is
    sum_i a_i W f_i, a = softmax_i((W f_i) . s), which counts as constant in the gradient.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Exactly one modality; the paper's is "image". An entity may have several rows.
    **settings
        Fields of :class:`IKRLConfig`.

    Raises
    ------
    ValueError
        No modality or more than one, or features of another number of entities.

    References
    ----------
    Xie et al., Image-embodied Knowledge Representation Learning, IJCAI 2017, Eq. 1-4. What
    differs: the paper starts from trained TransE tables, clips rows to length 1, and has a hinge
    for each energy.
    """

    Config = IKRLConfig
    citation = "Xie et al., IJCAI 2017"
    config: IKRLConfig
    several_rows = True
    one_modality: ClassVar[bool] = True
    """Which of several modalities there are is chosen for it."""

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> SummedProjection:
        """Return W."""
        if len(features) != 1:
            raise ValueError(f"IKRL takes features of one modality, got {', '.join(features)}")
        return SummedProjection(features, self.config.dim, bias=False, **self.config.rows)

    def views(self, entities: Tensor) -> Encodings:
        """Return "entity", s, and that of the modality, v: Float["u d"] each."""
        found = super().views(entities)
        (name,) = self.modal_views
        if found[name].dim() == 3:
            there = found[presence(name)]
            found[name] = attended(found[name], there, found["entity"])
            found[presence(name)] = there.any(dim=1, keepdim=True)
        return found


def attended(parts: Tensor, there: Tensor, structural: Tensor) -> Tensor:
    """Return sum_i a_i p_i, a = softmax_i(p_i . s): Float["u d"]; zeros where there is no part.

    Parameters
    ----------
    parts
        Float["u parts d"].
    there
        Bool["u parts"], which of them count.
    structural
        Float["u d"], s.
    """
    with torch.no_grad():
        logits = torch.bmm(parts, structural[:, :, None])[..., 0]
        weights = logits.masked_fill(~there, torch.finfo(logits.dtype).min).softmax(dim=1) * there
    return torch.bmm(weights[:, None], parts)[:, 0]
