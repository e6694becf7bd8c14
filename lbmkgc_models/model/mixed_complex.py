"""What RSME and OTKGE share: ComplEx on fixed shares of structure and of projected modalities."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.projection import Projectors, require_features
from openke.kernels.product import Linear
from openke.module.model.complex import ComplEx, ComplExConfig
from openke.module.scoring.encodings import Encodings, presence
from openke.runtime.values import Positive


@dataclass(frozen=True, kw_only=True)
class MixedComplExConfig(ComplExConfig):
    """Settings of :class:`MixedComplEx`, those of ComplEx and how projections start."""

    init_scale: Positive | None = 1e-3
    """As of ComplEx; Lacroix et al.'s, whose training these models take over."""
    modal_scale: Positive | None = None
    """Root mean square of the projected features at the start; None: Xavier uniform matrices."""


class MixedComplEx(ComplEx):
    """Score of ComplEx on e = (1 - sum_m a_m) s + sum_m a_m W_m f_m.

    s is the structural table, f_m are frozen features, and :meth:`shares` has a_m. A modality that
    an entity lacks adds nothing to its e; the share of s is the same for all entities.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features by modality, at least one.
    **settings
        Fields of the class's ``Config``.

    Raises
    ------
    ValueError
        No modality, features of another number of entities, shares of more than 1 together.
    """

    config: MixedComplExConfig
    projection: ClassVar[type[Linear]] = Linear
    """What W_m is."""

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        require_features(type(self).__name__, ent_tot, features)
        self.projectors = self.make_projectors(features)
        self.modal_views = tuple(self.projectors.names)
        shares = self.shares()
        self.shares_of = {name: shares[name] for name in self.modal_views}
        self.structural_share = 1 - sum(self.shares_of.values())

    @abstractmethod
    def shares(self) -> Mapping[str, float]:
        """Return a_m of every modality that there are features of."""

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> Projectors:
        """Return W_m."""
        c = self.config
        made = Projectors(
            features, 2 * c.dim, hidden=False, layer=self.projection, scale=c.modal_scale
        )
        if c.modal_scale is None:
            for projector in made:
                for weight in projector.layers.parameters():
                    nn.init.xavier_uniform_(weight)
        return made

    def views(self, entities: Tensor) -> Encodings:
        """Return "entity", s, and each projected modality, Float["u 2d"] each."""
        return {"entity": self.entity_embeddings(entities), **self.projectors.views(entities)}

    def fuse(self, views: Encodings) -> Encodings:
        """Return "entity", e: Float["u 2d"]."""
        fused = self.structural_share * views["entity"]
        for name, share in self.shares_of.items():
            fused = fused + share * torch.where(views[presence(name)], views[name], 0.0)
        return {"entity": fused}

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {**super().identity(), "features": self.projectors.digests()}
