"""IKRL: TransE energies within and across a structural and a modal view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.projection import Projectors, check_features
from openke.data.batch import Side
from openke.module.interaction import translate
from openke.module.model.transe import TransE, TransEConfig
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings, presence

VIEWS = ("entity", "modal")


@dataclass(frozen=True, kw_only=True)
class IKRLConfig(TransEConfig):
    """Settings of :class:`IKRL`, those of TransE; the margin belongs to the sum of energies."""


class IKRL(TransE):
    """Score gamma - [E(s,s) + E(v,v) + E(s,v) + E(v,s)], E(a,b) = ||a_h + r - b_t||_p.

    s is the structural table and v = W f a linear projection of frozen features. An entity without
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

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        if len(features) != 1:
            raise ValueError(
                f"IKRL takes features of one modality, got {', '.join(features) or 'none'}"
            )
        check_features(ent_tot, features)
        self.projectors = Projectors(features, self.config.dim, hidden=False)
        self.modal_views = tuple(self.projectors.names)

    def encode(self, entities: Tensor) -> Encodings:
        """Return :meth:`fuse` of :meth:`views`."""
        return self.fuse(self.views(entities))

    def views(self, entities: Tensor) -> Encodings:
        """Return "entity" and that of the modality: Float["u d"] each."""
        return {"entity": self.ent_embeddings(entities), **self.projectors.views(entities)}

    def fuse(self, views: Encodings) -> Encodings:
        """Return "entity" and "modal": Float["u d"] each."""
        structural, (view,) = views["entity"], self.modal_views
        modal = torch.where(views[presence(view)], views[view], structural)
        return {"entity": self._normalise(structural), "modal": self._normalise(modal)}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the translated views of the known entity: Float["q d"] each."""
        vector = self._normalise(self.rel_embeddings(relation))
        return {view: translate.query(anchor[view], vector, side) for view in VIEWS}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus the four energies."""
        first, second = (
            compare(self.kind, query["entity"], candidates[view])
            + compare(self.kind, query["modal"], candidates[view])
            for view in VIEWS
        )
        return self.margin + first + second

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digest included."""
        return {**super().identity(), "features": self.projectors.digests()}
