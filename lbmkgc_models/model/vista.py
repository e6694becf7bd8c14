"""VISTA: transformers over the pictures and texts of entities and of relations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.modal_tokens import TokenEncoder, Tokens, only
from lbmkgc_models.fusion.relation_rows import RelationFeatures, RelationRows
from lbmkgc_models.model.token_model import STRUCTURE, TokenConfig, TokenModel
from openke.data.batch import Side
from openke.kernels.product import Linear
from openke.module.interaction import matrix
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count, Share

IMAGE, TEXT = "image", "text"
"""The modalities that relations have, too."""


@dataclass(frozen=True, kw_only=True)
class VISTAConfig(TokenConfig):
    """Settings of :class:`VISTA`; defaults are those of the published run on VTKG-C, but heads."""

    hidden: Count = 2048
    """Units of the perceptron in each layer."""
    entity_layers: Count = 2
    """Layers that encode an entity."""
    relation_layers: Count = 1
    """Layers that encode a relation."""
    decoder_layers: Count = 2
    """Layers that encode a query."""
    dropout: Share = 0.9
    """Share of the numbers of a structural row, of entities and relations, that a training step
    forgets."""
    modal_dropout: Mapping[str, float] = field(default_factory=lambda: {"image": 0.4, "text": 0.1})
    """The same of tokens by modality; of others it is 0."""
    relation_pictures: Count = 3
    """The most pictures of a relation, each of both ends of a fact."""


class VISTA(TokenModel):
    """Score <z, e_t>, z the output at m of a transformer over (e_h + q_H, r + q_R, m + q_T).

    Entities are those of :class:`.TokenModel`. A relation is the output at a class token of its own
    over its row, the text of its name, projected and normed as the texts of entities are, and
    pictures of both ends of some of its facts, normed as pictures of entities are. In (?, r, t) the
    vector m stands for the head.

    Parameters
    ----------
    ent_tot, rel_tot, features
        See :class:`.TokenModel`.
    relation_features
        Rows of relations by modality, "text" Float["r 1 f"] as wide as those of entities, and
        "image" Float["r relation_pictures 2f"]; what is not there is masked.
    **settings
        Fields of :class:`VISTAConfig`.

    Raises
    ------
    ValueError
        See :class:`.TokenModel`; features of relations of another shape.

    References
    ----------
    Lee et al., VISTA: Visual-Textual Knowledge Graph Representation Learning, Findings of EMNLP
    2023. What differs: a relation's picture is those of both ends of a fact, without a third one
    that shows both; a missing text is masked.
    """

    Config = VISTAConfig
    citation = "Lee et al., EMNLP 2023"
    config: VISTAConfig
    with_relation_features: ClassVar[bool] = True
    """Whether it is made with ``relation_features``."""

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        relation_features: RelationFeatures | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        c, features, given = self.config, features or {}, relation_features or {}
        widths = {name: found.dim for name, found in features.items() if name in (IMAGE, TEXT)}
        shapes = {IMAGE: (c.relation_pictures, 2), TEXT: (1, 1)}
        self.relation_rows = nn.ModuleDict(
            {
                name: RelationRows((rel_tot, count, times * widths[name]), given.get(name))
                for name, (count, times) in shapes.items()
                if name in widths
            }
        )
        if IMAGE in widths:
            self.relation_image = Linear(2 * widths[IMAGE], c.dim)
            nn.init.xavier_uniform_(self.relation_image.weight)
            nn.init.zeros_(self.relation_image.bias)
        kinds = (STRUCTURE, *self.relation_rows)
        self.relations = TokenEncoder(kinds, c.dim, layers=c.relation_layers, **self.layers())

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query", z, Float["q d"]; each distinct relation is encoded once."""
        distinct, index = matrix.distinct(relation, self.rel_tot)
        vectors = self.relations(self.relation_tokens(distinct)).index_select(0, index)
        (found,) = self.question(anchor["entity"], vectors, side)
        return {"query": found}

    def relation_tokens(self, relation: Tensor) -> dict[str, Tokens]:
        """Return the tokens of relations (Int["q"]) by kind."""
        tokens = {STRUCTURE: only(self.forget(self.relation_norm(self.rel_embeddings(relation))))}
        for name, rows in self.relation_rows.items():
            values, there = rows(relation)
            projected = self._project(name, values.flatten(0, 1)).view(*there.shape, -1)
            tokens[name] = Tokens(projected, there)
        return tokens

    def _project(self, name: str, rows: Tensor) -> Tensor:
        modal = self.modal_of(name)
        if name == TEXT:
            return modal.project(rows)
        pictures: Tensor = modal.dropout(modal.norm(self.relation_image(rows)))
        return pictures
