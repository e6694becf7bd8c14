"""IMF: a TuckER for structure, one for each modality and one for all of them fused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.digest import digest_of
from lbmkgc_models.fusion.feature_rows import FeatureTables
from lbmkgc_models.fusion.multiplicative_fusion import MultiplicativeFusion
from lbmkgc_models.fusion.projection import require_features
from lbmkgc_models.fusion.resized import resized
from lbmkgc_models.fusion.score_heads import ScoreHeads, logit_of_mean
from openke.data.batch import Side
from openke.module.interaction import matrix
from openke.module.model.model import Model
from openke.module.model.tucker import TuckERConfig
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Share

STRUCTURE, FUSED = "entity", "fused"


@dataclass(frozen=True, kw_only=True)
class IMFConfig:
    """Settings of :class:`IMF`; defaults are those of its published run on DB15K."""

    dim: Count = 256
    """Reals of an entity and of a relation in each head; a core has dim^3."""
    tuned: bool = True
    """Train the features, too, as published: they are then how a table starts."""
    fusion_parts: Count = 2
    """Products that are added in a fused vector."""
    fusion_dropout: Share = 0.2
    """Share of the numbers that a layer of the fusion forgets in a training step."""
    input_dropout: Share = 0.3
    """Share of the known entity's numbers, see :class:`.TuckERConfig`."""
    hidden_dropout1: Share = 0.4
    """Share of a relation matrix's numbers."""
    hidden_dropout2: Share = 0.5
    """Share of the query's numbers."""


class IMF(Model):
    """Score logit(mean_m sigmoid(l_m)), l_m being TuckER's in structure, each modality and fused.

    Each of these heads has vectors of entities, vectors of relations and a core of its own. Those
    of a modality start as its features, scaled to length 1 and averaged down to ``dim`` numbers;
    where an entity has none, as their mean. The fused ones are :class:`.MultiplicativeFusion` of
    all others, one for entities and one for relations. In training against all entities each head
    has a loss of its own, see :meth:`heads`; ranks are those of the mean of probabilities.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, any subset of what there is, but one at least.
    **settings
        Fields of :class:`IMFConfig`.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.

    References
    ----------
    Li et al., IMF: Interactive Multimodal Fusion Model for Link Prediction, WWW 2023. What differs:
    its code averages those numbers of a text that are 64 apart; like TuckER here, a batch forgets
    the same numbers of a relation's matrix in all its queries. It trains by "kvsall" with
    "bce-conve" and reciprocal relations, and takes its best epoch on test; here dev chooses.
    """

    Config = IMFConfig
    citation = "Li et al., WWW 2023"
    config: IMFConfig
    asymmetric_queries = True

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        require_features("IMF", ent_tot, features)
        names = (STRUCTURE, *sorted(features))
        self.ent_embeddings = nn.Embedding(ent_tot, c.dim)
        nn.init.xavier_normal_(self.ent_embeddings.weight)
        # Of what is given: what is made of it has other last bits on another kind of processor.
        self._digests = {n: digest_of(features[n].values, features[n].present) for n in names[1:]}
        narrow = {name: resized(features[name], c.dim) for name in names[1:]}
        self.modal_rows = FeatureTables(narrow, tuned=c.tuned, missing="mean")
        self.rel_tables = nn.ModuleDict({name: nn.Embedding(rel_tot, c.dim) for name in names})
        for weight in self.rel_tables.parameters():
            nn.init.xavier_normal_(weight)
        shared = TuckERConfig(
            dim=c.dim,
            dim_r=c.dim,
            input_dropout=c.input_dropout,
            hidden_dropout1=c.hidden_dropout1,
            hidden_dropout2=c.hidden_dropout2,
        )
        self.score_heads = ScoreHeads((*names, FUSED), shared)
        fusion = (c.dim, len(names), c.fusion_parts, c.fusion_dropout)
        self.entity_fusion = MultiplicativeFusion(*fusion)
        self.relation_fusion = MultiplicativeFusion(*fusion)

    def encode(self, entities: Tensor) -> Encodings:
        """Return what an entity is in each head: Float["u d"] each."""
        rows = {STRUCTURE: self.ent_embeddings(entities), **self.modal_rows(entities)}
        return {**rows, FUSED: self.entity_fusion(list(rows.values()))}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the query of each head: Float["q d"] each; a relation's matrix is made once."""
        distinct, index = matrix.distinct(relation, self.rel_tot)
        relations = {name: table(distinct) for name, table in self.rel_tables.items()}
        relations[FUSED] = self.relation_fusion(list(relations.values()))
        queries: Encodings = self.score_heads(anchor, relations, index, side)
        return queries

    def heads(
        self, query: Encodings, candidates: Encodings, compare: Compare
    ) -> tuple[Tensor, ...]:
        """Return the scores l_m."""
        return tuple(compare("dot", query[name], candidates[name]) for name in query)

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the logit of the mean of the heads' probabilities."""
        return logit_of_mean(self.heads(query, candidates, compare))

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the vectors of a relation in all heads but the fused one, side by side."""
        return torch.cat([table(relation) for table in self.rel_tables.values()], dim=-1)

    def relation_part_widths(self) -> tuple[int, ...]:
        """Return the width of a relation's vector in each of these heads."""
        return (self.config.dim,) * len(self.rel_tables)

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {**super().identity(), "features": self._digests}
