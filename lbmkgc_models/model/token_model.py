"""What VISTA and MyGO share: entities as sets of tokens, queries as triples with a hole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.modal_tokens import ModalTokens, TokenEncoder, Tokens, only
from lbmkgc_models.fusion.projection import check_features
from lbmkgc_models.fusion.question_encoder import QuestionEncoder
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.names import check_known
from openke.runtime.values import Count, Share, check_value

BLOCK_BYTES = 2**30
"""What the encoder of entities may write down for the way back, about."""
STRUCTURE = "structure"
"""The kind of token that every entity has."""


@dataclass(frozen=True, kw_only=True)
class TokenConfig:
    """Settings of :class:`TokenModel`."""

    dim: Count = 256
    """Reals of an entity, of a relation and of each token."""
    heads: Count = 2
    """Heads of every attention, which share the reals evenly."""
    hidden: Count = 1024
    """Units of the perceptron in each layer."""
    entity_layers: Count = 1
    """Layers that encode an entity."""
    decoder_layers: Count = 1
    """Layers that encode a query."""
    dropout: Share = 0.6
    """Share of the numbers of a structural row, of entities and relations, that a training step
    forgets."""
    modal_dropout: Mapping[str, float] = field(default_factory=lambda: {"image": 0.3, "text": 0.1})
    """The same of tokens by modality; of others it is 0."""
    layer_dropout: Share = 0.01
    """The same inside of layers."""

    def __post_init__(self) -> None:
        """Check what belongs together."""
        for name, share in self.modal_dropout.items():
            check_value(f"modal_dropout.{name}", share, Share)
        if self.dim % self.heads:
            raise ValueError(f"dim is {self.dim}, which {self.heads} heads cannot share evenly")


class TokenModel(Model):
    """Score <z, e_t>: z is what a transformer finds in the hole of a query, e_t an entity.

    An entity e is the output at a class token c of a transformer over the set {c, drop LN(s) + p_s,
    drop LN(W f_k + b) + p_m}: its structural row s, and one token for each row f_k of each modality
    m, such as several pictures. What an entity lacks is masked.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features by modality, any subset of what there is; an entity may have several rows.
    **settings
        Fields of the class's ``Config``.

    Raises
    ------
    ValueError
        Features of another number of entities, heads that do not share the reals evenly, dropout of
        a modality that there is not.
    """

    config: TokenConfig
    asymmetric_queries: ClassVar[bool] = True

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c, features = self.config, dict(sorted((features or {}).items()))
        check_features(ent_tot, features, several=True)
        for name in c.modal_dropout:
            check_known("modal_dropout", name, sorted({"image", "text", *features}))
        self.ent_embeddings = nn.Embedding(ent_tot, c.dim)
        self.rel_embeddings = nn.Embedding(rel_tot, c.dim)
        for table in (self.ent_embeddings, self.rel_embeddings):
            nn.init.xavier_uniform_(table.weight)
        self.norm, self.relation_norm = nn.LayerNorm(c.dim), nn.LayerNorm(c.dim)
        self.forget = nn.Dropout(c.dropout)
        self.modal = nn.ModuleDict(
            {
                name: ModalTokens(found, c.dim, c.modal_dropout.get(name, 0.0))
                for name, found in features.items()
            }
        )
        kinds = (STRUCTURE, *features)
        self.entities = TokenEncoder(kinds, c.dim, layers=c.entity_layers, **self.layers())
        self.question = QuestionEncoder(c.dim, layers=c.decoder_layers, **self.layers())
        parts = {name: max(1, found.parts) for name, found in features.items()}
        reals = self.entities.encoder.reals_of(2 + sum(parts.values())) + sum(
            count * (features[name].dim + 4 * c.dim) for name, count in parts.items()
        )
        self.encode_block = max(1, BLOCK_BYTES // (4 * reals))

    def layers(self) -> dict[str, Any]:
        """Return what all layers have in common."""
        c = self.config
        return {"heads": c.heads, "hidden": c.hidden, "dropout": c.layer_dropout}

    def tokens(self, entities: Tensor) -> dict[str, Tokens]:
        """Return the tokens of entities (Int["u"]) by kind: "structure", and each modality."""
        structure = self.forget(self.norm(self.ent_embeddings(entities)))
        modal = {name: tokens(entities) for name, tokens in self.modal.items()}
        return {STRUCTURE: only(structure), **modal}

    def modal_of(self, name: str) -> ModalTokens:
        """Return what makes tokens of a modality."""
        found = self.modal[name]
        assert isinstance(found, ModalTokens)
        return found

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity", e, Float["u d"]."""
        return {"entity": self.entities(self.tokens(entities))}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the dot products."""
        return compare("dot", query["query"], candidates["entity"])

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        return {
            **super().identity(),
            "features": {name: self.modal_of(name).rows.digest() for name in self.modal},
        }
