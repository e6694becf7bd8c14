"""MyGO: entities of discrete tokens of pictures and texts, a matrix for each query, contrast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.contrast import info_nce
from lbmkgc_models.fusion.core_product import CoreProduct
from lbmkgc_models.fusion.modal_tokens import mean_of
from lbmkgc_models.model.token_model import STRUCTURE, TokenConfig, TokenModel
from openke.data.batch import Side
from openke.module.interaction import matrix
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Positive, Share

CONTRAST = "contrast"
ID = "id"
"""Name of the rows that say which entities the others are of."""


@dataclass(frozen=True, kw_only=True)
class MyGOConfig(TokenConfig):
    """Settings of :class:`MyGO`; defaults are those of the published run on DB15K."""

    input_dropout: Share = 0.3
    """Share of the numbers of z that a training step forgets."""
    matrix_dropout: Share = 0.4
    """Share of the numbers of each query's matrix that it forgets."""
    query_dropout: Share = 0.5
    """Share of the numbers of q that it forgets."""
    contrasted: Count = 512
    """Entities of a step that are contrasted, drawn anew."""
    temperature: Positive = 0.5
    """Divides the cosines of the contrast."""


class MyGO(TokenModel):
    """Score <q, e_t>, q = drop N(drop N(z) M), M = drop sum_k r'_k W_k, N batch normalisation.

    Entities are those of :class:`.TokenModel`; their features are sets of codes of picture patches
    and of word pieces, as ``openke features tokens`` makes them, or any others. A relation is
    drop LN(r). Over (e_h + q_H, r + q_R, m + q_T) a transformer finds z at m and r' at the
    relation; the core W makes a matrix of r' for each query.

    The auxiliary loss "contrast" is the mean InfoNCE of some entities and four views of them, of a
    second pass with other dropout: the output at the class token, and the means of the outputs of
    all tokens, of those of pictures and of those of texts. Of a modality that an entity lacks the
    view is zeros; other sets of modalities have a view each.

    Parameters
    ----------
    ent_tot, rel_tot, features
        See :class:`.TokenModel`.
    **settings
        Fields of :class:`MyGOConfig`.

    References
    ----------
    Zhang et al., Tokenization, Fusion, and Augmentation: Towards Fine-grained Multi-modal Entity
    Representation, AAAI 2025. What differs: N has a mean and variance for each side; means are
    over the tokens that are there; the contrast is of entities alone, and only those that are drawn
    are encoded again.
    """

    Config = MyGOConfig
    citation = "Zhang et al., AAAI 2025"
    config: MyGOConfig
    auxiliary_losses = (CONTRAST,)
    tokens_first: ClassVar[bool] = True
    """Whether features of tokens go before those of one vector, where there are both."""

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        c = self.config
        self.product = CoreProduct(
            *(c.dim, c.dim),
            input_dropout=c.input_dropout,
            matrix_dropout=c.matrix_dropout,
            output_dropout=c.query_dropout,
        )

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity", e, Float["u d"], and "id", Int["u"]."""
        return {**super().encode(entities), ID: entities}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query", q, Float["q d"]."""
        distinct, index = matrix.distinct(relation, self.rel_tot)
        rows = self.forget(self.relation_norm(self.rel_embeddings(distinct)))
        vectors = rows.index_select(0, index)
        z, seen = self.question(anchor["entity"], vectors, side, with_relation=True)
        return {"query": self.product(z, seen, side)}

    def auxiliary_loss(
        self, name: str, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return the contrast of some of the entities encoded, drawn anew at each step."""
        assert name == CONTRAST
        entities = rows["entity"]
        some = torch.randperm(len(entities), device=entities.device)[: self.config.contrasted]
        views = self.contrasted_views(rows[ID][some])
        losses = [info_nce(entities[some], view, self.config.temperature) for view in views]
        return torch.stack(losses).mean()

    def contrasted_views(self, entities: Tensor) -> list[Tensor]:
        """Return the views of entities (Int["u"]), Float["u d"] each."""
        outputs = self.entities.outputs(self.tokens(entities))
        modal = [
            mean_of(kind) for name, kind in outputs.items() if name not in ("first", STRUCTURE)
        ]
        return [outputs["first"].values[:, 0], mean_of(*outputs.values()), *modal]
