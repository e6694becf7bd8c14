"""Settings of LBMKGC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from openke.module.model.rotate import RotatEConfig
from openke.runtime.values import Count, Positive, Share


@dataclass(frozen=True, kw_only=True)
class LBMKGCConfig(RotatEConfig):
    """Settings of LBMKGC; defaults are those of the published DB15K run."""

    dim: Count = 500
    """The interaction's ``dim``; RotatE's are complex coordinates (2 dim reals of an entity)."""
    margin: float = 12.0
    """gamma of interactions that are distances; the published runs take 12 on DB15K, 16 on MKG-W,
    24 on MKG-Y."""
    interaction: str = "RotatE"
    """What scores the fused entities, see :data:`.INTERACTIONS`."""
    interaction_settings: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of the interaction by name, e.g. dim_r of TuckER."""
    attention: Literal["scalar", "elementwise", "mean"] = "scalar"
    """How modalities are weighed, see :class:`.ModalityAttention`."""
    gate: Literal["relation", "mean", "sum"] = "relation"
    """"relation": zeta_r of Eq. 11; "mean": structure counts as one more modality (with
    ``attention="mean"`` the ablation without CGuAF); "sum": e_s + e_mm."""
    structural: bool = True
    """False leaves out e_s (Table 2, without structural)."""
    drop_structure: Share = 0.0
    """Share of the entities of a training step that leave out e_s, if they have a modality."""
    drop_unseen: bool = False
    """Entities in no train triple leave out e_s, always, if they have a modality: it would only
    ever be pushed down, as a negative."""
    projection: Literal["mlp", "linear"] = "mlp"
    """"mlp": e_m = W2 ReLU(W1 f_m), both layers with biases; "linear": e_m = W f_m."""
    modal_norm: bool = False
    """Layer-normalise each e_m."""
    modal_dropout: Share = 0.0
    """Share of the numbers of each e_m that a training step forgets."""
    modal_scale: Positive | None = None
    """Root mean square of each e_m at the start; None: as the layers start. Small ones suit
    training against all entities by dot products."""
    penalized: Literal["fused", "structure"] = "fused"
    """What penalties of factors, such as N3, are of: the fused vectors, or those of the structure
    alone. The first keeps features from learning by heart, and from saying all that they show."""
    score_mentions: bool = False
    """Add to a score what it is worth that one entity's text has the other's name, see
    :class:`.MentionScore`."""
