"""AdaMF: RotatE on structure and modalities, weighed for each entity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import Missing
from lbmkgc_models.fusion.modality_attention import ModalityAttention
from lbmkgc_models.fusion.projection import Projectors, require_features
from openke.module.model.rotate import RotatE, RotatEConfig
from openke.module.scoring.encodings import Encodings, presence


@dataclass(frozen=True, kw_only=True)
class AdaMFConfig(RotatEConfig):
    """Settings of :class:`AdaMF`, those of RotatE and how features are taken."""

    tuned: bool = True
    """Train the features, too, as the published code does: W f is then a second table of entities.
    False keeps them as they are."""
    missing: Missing = "mask"
    """What stands for features that an entity lacks, see :data:`.Missing`."""


class AdaMF(RotatE):
    """RotatE on e = sum_i a_i e_i, a = softmax_i(w . tanh(e_i)), i the structure or a modality.

    e_s is the structural table, the others are e_m = W_m f_m + b_m, one w for all. A modality that
    an entity lacks has no weight.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, any subset of what there is, but one at least.
    **settings
        Fields of :class:`AdaMFConfig`.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.

    References
    ----------
    Zhang et al., Unleashing the Power of Imbalanced Modality Information for Multi-modal Knowledge
    Graph Completion, LREC-COLING 2024. What differs: a missing modality is masked; there it is
    whatever row stands in the feature file. This is the model alone, AdaMF in the paper; its
    adversarial training, AdaMF-MAT, is the objective :class:`.MAT`.
    """

    Config = AdaMFConfig
    citation = "Zhang et al., LREC-COLING 2024"
    config: AdaMFConfig

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        require_features("AdaMF", ent_tot, features)
        self.projectors = Projectors(
            features, 2 * c.dim, hidden=False, bias=True, tuned=c.tuned, missing=c.missing
        )
        self.attention = ModalityAttention(2 * c.dim)
        self.modal_views = tuple(self.projectors.names)

    def views(self, entities: Tensor) -> Encodings:
        """Return "entity", the structural rows, and that of each modality: Float["u 2d"] each."""
        return {"entity": self.ent_embeddings(entities), **self.projectors.views(entities)}

    def fuse(self, views: Encodings) -> Encodings:
        """Return "entity", the weighted sum: Float["u 2d"]."""
        here = [views[presence(view)] for view in self.modal_views]
        present = torch.cat([torch.ones_like(here[0]), *here], dim=1)  # [u 1+m]
        rows = [views[view] for view in ("entity", *self.modal_views)]
        return {"entity": self.attention(rows, present)}

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the fused rows, Float["u 2d"]."""
        encodings = self.encode(entities) if encodings is None else encodings
        return encodings["entity"]

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {**super().identity(), "features": self.projectors.digests()}
