"""LBMKGC: structure, pictures and text, weighed for each entity and each relation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from lbmkgc_models.fusion import (
    ModalityAttention,
    Projectors,
    RelationGate,
    check_features,
)
from lbmkgc_models.store import ModalFeatures
from openke.data.batch import Side
from openke.module.interaction import rotate
from openke.module.model.model import Model, table
from openke.module.model.rotate import Phases, RotatEConfig
from openke.module.model.scoring import Compare, Rows


@dataclass(frozen=True, kw_only=True)
class LBMKGCConfig(RotatEConfig):
    """Settings of :class:`LBMKGC`; defaults are those of the published DB15K run."""

    dim: int = 500
    """Complex coordinates of an entity (2 dim reals), phases of a relation."""
    margin: float = 12.0
    """gamma; the published runs take 12 on DB15K, 16 on MKG-W, 24 on MKG-Y."""
    attention: Literal["scalar", "elementwise", "mean"] = "scalar"
    """How modalities are weighed, see :class:`~lbmkgc_models.fusion.ModalityAttention`."""
    gate: Literal["relation", "mean"] = "relation"
    """"relation": zeta_r of Eq. 11; "mean": structure counts as one more modality (with
    ``attention="mean"`` the ablation without CGuAF)."""
    structural: bool = True
    """False leaves out e_s (Table 2, without structural)."""


class LBMKGC(Model):
    """RotatE on e_joint = zeta_r e_s + (1 - zeta_r) e_mm, for heads and tails alike.

    e_mm does not depend on the relation, so every distinct entity is projected once; the gate is
    applied inside the score kernel. An entity without any modality is its structural row alone.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features by modality, any subset of what there is; empty is RotatE.
    **settings
        Fields of :class:`LBMKGCConfig`.

    Raises
    ------
    ValueError
        Features of another number of entities; neither structure nor features.

    References
    ----------
    LBMKGC (Large Model-Driven Balanced Multimodal Knowledge Graph Completion), Eq. 9-12. What
    differs: a modality an entity lacks is masked out of the softmax; the reference code scores it
    as whatever row stands in its feature file.
    """

    Config = LBMKGCConfig
    citation = "LBMKGC: Large Model-Driven Balanced Multimodal Knowledge Graph Completion"
    config: LBMKGCConfig

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        features = dict(features or {})
        check_features(ent_tot, features)
        if not features and not c.structural:
            raise ValueError("LBMKGC: structural=False needs features of at least one modality")
        if c.gate not in ("relation", "mean"):
            raise ValueError(f"LBMKGC: gate is {c.gate!r}, expected 'relation' or 'mean'")
        self.phases = Phases(c.dim, c.margin, c.epsilon)
        self.rel_embeddings = table(rel_tot, c.dim, self.phases.bound)
        if c.structural:
            self.ent_embeddings = table(ent_tot, 2 * c.dim, self.phases.entity_bound)
        self.projectors = Projectors(features, 2 * c.dim)
        if features:
            # One modality needs no weights: a softmax over one number is 1.
            form = c.attention if len(features) > 1 else "mean"
            self.attention = ModalityAttention(2 * c.dim, form)
        self.gated = bool(features) and c.structural and c.gate == "relation"
        if self.gated:
            self.gate = RelationGate(rel_tot, self.phases.entity_bound)

    def encode(self, entities: Tensor) -> Rows:
        """Return "entity": Float["u 2d"] and, where a gate mixes them, "modal": Float["u 2d"]."""
        if not self.projectors.names:
            return {"entity": self.ent_embeddings(entities)}
        modal, present = self.projectors(entities)
        mixed = self.attention(modal, present)
        if not self.config.structural:
            return {"entity": mixed}
        structural = self.ent_embeddings(entities)
        if self.config.gate == "mean":
            count = present.sum(dim=1, keepdim=True)  # [u 1]
            return {"entity": (structural + count * mixed) / (1 + count)}
        some = present.any(dim=1, keepdim=True)
        return {"entity": structural, "modal": torch.where(some, mixed, structural)}

    def query(self, anchor: Rows, relation: Tensor, side: Side) -> Rows:
        """Return "query": Float["q 2d"] and, where there is one, "gate": Float["q"]."""
        phase = self.phases(self.rel_embeddings(relation))
        if not self.gated:
            return {"query": rotate.query(anchor["entity"], phase, side)}
        gate = self.gate(relation)
        joint = torch.lerp(anchor["modal"], anchor["entity"], gate[:, None])
        return {"query": rotate.query(joint, phase, side), "gate": gate}

    def match(self, query: Rows, candidates: Rows, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        similarity = compare(
            "complex",
            query["query"],
            candidates["entity"],
            modal=candidates.get("modal"),
            gate=query.get("gate"),
        )
        return self.config.margin + similarity

    def structure(self, entities: Tensor) -> Tensor:
        """Return the entity table's rows e_s; without structure, the mixed modalities."""
        if not self.config.structural:
            return self.encode(entities)["entity"]
        rows: Tensor = self.ent_embeddings(entities)
        return rows

    def relation_rows(self, relation: Tensor) -> Tensor:
        """Return the relation table's rows, before they are scaled to phases."""
        rows: Tensor = self.rel_embeddings(relation)
        return rows

    def constants(self) -> dict[str, float]:
        """Return the margin and the bound that makes phases of stored relations."""
        return {"margin": self.config.margin, "rel_embedding_range": self.phases.bound}

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {**super().identity(), "features": self.projectors.digests()}
