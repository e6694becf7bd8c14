"""MMRNS: a structural model, and how alike entities are in pictures, text and structure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.projection import check_features
from lbmkgc_models.fusion.relational_similarity import RelationalSimilarity
from openke.module.model import Model, model_inside
from openke.module.model.wrapped import Wrapped
from openke.module.scoring.recompute import recomputed
from openke.module.settings import configure
from openke.runtime.values import Count

BLOCK = 128 * 2**20
"""Bytes of what relations see of candidates at a time."""
KEPT = 2**30
"""Bytes of it that may be kept for the way back."""
MODALITIES = 2
"""The most there may be: each is seen by the parts of the other."""


@dataclass(frozen=True, kw_only=True)
class MMRNSConfig:
    """Settings of :class:`MMRNS`."""

    interaction: str = "TransE"
    """The model over structure that scores."""
    interaction_settings: Mapping[str, Any] = field(default_factory=dict)
    """Its settings."""
    dim: Count = 50
    """Reals of an entity in each modality, where it is compared."""
    hidden: Count = 100
    """Units of the layer that says which numbers of a structural row a relation compares."""


class MMRNS(Wrapped):
    """Scores of a structural model; features say which entities are alike, for sampling alone.

    The objective of the same name asks :meth:`similarities`. With another objective this is the
    structural model.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features of at most two modalities; without any, structure alone is compared.
    **settings
        Fields of :class:`MMRNSConfig`.

    Raises
    ------
    ValueError
        An unknown interaction, or one that needs a graph's facts; more than two modalities, or
        features of another number of entities.

    References
    ----------
    Xu et al., Relation-enhanced Negative Sampling for Multimodal Knowledge Graph Completion, ACM
    MM 2022. What differs, see :class:`.RelationalSimilarity`.
    """

    Config = MMRNSConfig
    citation = "Xu et al., ACM MM 2022"
    config: MMRNSConfig
    unscored: ClassVar[tuple[str, ...]] = ("sampler",)

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        **settings: Any,
    ) -> None:
        features = dict(features or {})
        c = configure(MMRNSConfig, "MMRNS", settings)
        super().__init__(_scorer(c, ent_tot, rel_tot), **settings)
        self.compares_entities = True  # type: ignore[misc]
        self.moves_whole = False  # type: ignore[misc]
        if len(features) > MODALITIES:
            raise ValueError(
                f"MMRNS takes features of at most {MODALITIES} modalities, got "
                f"{', '.join(features)}; choose by features.modalities"
            )
        check_features(ent_tot, features, several=True)
        zero = torch.zeros(1, dtype=torch.long)
        self.sampler = RelationalSimilarity(
            features,
            c.dim,
            c.hidden,
            self.inner.entity_embeddings(zero).shape[1],
            self.inner.relation_embeddings(zero).shape[1],
        )

    def similarities(
        self, entities: Tensor, candidates: Tensor, relation: Tensor
    ) -> dict[str, Tensor]:
        """Return the cosines of "structure" and of each modality, Float["b c"].

        A block of relations at a time, so that an array [b, c, dim] is never there; where it is
        large, what relations see of the candidates is found again on the way back. It waits for the
        device.
        """
        found, order = torch.sort(relation, stable=True)
        distinct, counts = torch.unique_consecutive(found, return_counts=True)
        seen, pool = self._see(entities[order]), self._see(candidates)
        rows = self.inner.relation_embeddings(distinct)
        bytes_of_one = 4 * self.sampler.width * max(len(candidates), 1)  # relation, about
        size = max(1, BLOCK // bytes_of_one)
        kept = len(rows) <= max(size, KEPT // bytes_of_one)
        blocks, first = [], 0
        for start in range(0, len(rows), size):
            some = counts[start : start + size].tolist()
            block = seen.rows(slice(first, first + sum(some)))
            arguments = (block, pool, rows[start : start + size], some)
            blocks.append(
                self.sampler.compare(*arguments)
                if kept
                else recomputed(self.sampler, self.sampler.compare, *arguments)
            )
            first += sum(some)
        back = torch.argsort(order)
        return {name: torch.cat([block[name] for block in blocks])[back] for name in blocks[0]}

    def _see(self, entities: Tensor) -> Any:
        return self.sampler.see(entities, self.inner.entity_embeddings(entities))

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {**Model.identity(self), "features": self.sampler.digests()}


def _scorer(config: MMRNSConfig, ent_tot: int, rel_tot: int) -> Model:
    kind = model_inside("interaction", config.interaction)
    return kind(ent_tot, rel_tot, **config.interaction_settings)
