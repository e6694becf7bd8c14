"""TransAE: TransE on the code of an autoencoder of an entity's features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import FeatureRows
from lbmkgc_models.fusion.projection import require_features
from openke.data.batch import Side
from openke.kernels.product import Linear
from openke.module.interaction import translate
from openke.module.model.model import Model
from openke.module.model.tables import table
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.names import check_known
from openke.runtime.values import Count, check_value

ID = "id"
"""Name of the rows that say which entities the others are of."""
RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True, kw_only=True)
class TransAEConfig:
    """Settings of :class:`TransAE`; sizes are the paper's."""

    dim: Count = 50
    """Reals of a code and of a relation."""
    hidden: Mapping[str, int] = field(default_factory=lambda: {"image": 512, "text": 50})
    """Width of the layer between features and code, by modality; of others it is ``dim``."""
    margin: float = 0.0
    """Added to the score; the paper's margin is that of its loss."""

    def __post_init__(self) -> None:
        """Check the widths."""
        for name, width in self.hidden.items():
            check_value(f"hidden.{name}", width, Count)


class ModalCoder(nn.Module):
    """The way of one modality's features into a code, s(W1 x), and back, W5 s(W4 c).

    Parameters
    ----------
    features
        Frozen rows, standardised here, and the mask of entities that have the modality.
    width
        Reals of both hidden layers.
    dim
        Reals of a code.
    """

    def __init__(self, features: ModalFeatures, width: int, dim: int) -> None:
        super().__init__()
        self.rows = FeatureRows(features, standardised=True)
        self.enter = Linear(features.dim, width, bias=False)
        self.expand = Linear(dim, width, bias=False)
        self.rebuild = Linear(width, features.dim, bias=False)

    def forward(self, entities: Tensor) -> Tensor:
        """Return Float["u width"] of Int["u"]."""
        hidden: Tensor = self.enter(self.rows(entities)).sigmoid()
        return hidden

    def error(self, code: Tensor, entities: Tensor) -> Tensor:
        """Return Float["u"], the mean square error of a feature rebuilt from Float["u d"].

        Where entities lack the modality it is 0.
        """
        rebuilt = self.rebuild(self.expand(code).sigmoid())
        error = nn.functional.mse_loss(rebuilt, self.rows(entities), reduction="none")
        return error.mean(dim=1) * self.rows.present[entities]


class TransAE(Model):
    """Score gamma - ||c_h + r - c_t||_1, c = s(W3 [s(W1 x); s(W2 v)]), s the logistic function.

    x and v are features of text and picture, the vector c their code; there is no table of
    entities. The auxiliary loss "reconstruction" has a decoder rebuild each from the code, y_m =
    W5m s(W4m c): it is the mean over all triples scored of MSE(x, y_x) + MSE(v, y_v) of the head
    and of the tail. A missing modality is not rebuilt, and the code sees zeros for it, which is
    the mean of those there are; so all entities without any features have the same code.

    Rows of W3 have length 1 before each step, relations start with an L1 norm of 1.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Frozen features by modality, any subset of what there is, but one at least.
    **settings
        Fields of :class:`TransAEConfig`.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.

    References
    ----------
    Wang et al., Multimodal Data Enhanced Representation Learning for Knowledge Graphs, IJCNN 2019.
    What differs: features are standardised and the decoder ends without a logistic function, whose
    values lie in (0, 1) and can rebuild no others; a missing modality is masked. The paper trains
    by 0.4 times a hinge loss of one negative plus the sum of the errors of its four entities: here
    MarginLoss and a weight of 5 of the reconstruction. What later comparisons call TransAE has no
    working autoencoder: another model under this name.
    """

    Config = TransAEConfig
    citation = "Wang et al., IJCNN 2019"
    config: TransAEConfig
    auxiliary_losses = (RECONSTRUCTION,)
    moves_whole = False

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        c = self.config
        require_features("TransAE", ent_tot, features)
        known = {"image", "text", *features}
        for name in c.hidden:
            check_known("hidden", name, sorted(known))
        widths = {name: c.hidden.get(name, c.dim) for name in sorted(features)}
        self.coders = nn.ModuleDict(
            {name: ModalCoder(features[name], width, c.dim) for name, width in widths.items()}
        )
        self.code = Linear(sum(widths.values()), c.dim, bias=False)
        self.rel_embeddings = table(rel_tot, c.dim, 6 / c.dim**0.5)
        with torch.no_grad():
            rows = self.rel_embeddings.weight
            rows.copy_(nn.functional.normalize(rows, p=1))

    def encode(self, entities: Tensor) -> Encodings:
        """Return "entity", the code, Float["u d"], and "id", Int["u"]."""
        hidden = torch.cat([coder(entities) for coder in self._coders()], dim=1)
        return {"entity": self.code(hidden).sigmoid(), ID: entities}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the translated code of the known entity: Float["q d"]."""
        vector = self.rel_embeddings(relation)
        return {"query": translate.query(anchor["entity"], vector, side)}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus distance."""
        return self.config.margin + compare("l1", query["query"], candidates["entity"])

    def auxiliary_loss(
        self, name: str, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor:
        """Return the mean over triples of the errors of their two entities."""
        assert name == RECONSTRUCTION
        error = self.reconstruction_error(rows)
        return error[head].mean() + error[tail].mean()

    def reconstruction_error(self, rows: Encodings) -> Tensor:
        """Return Float["u"], the sum over modalities of the mean square error of a feature."""
        errors = [coder.error(rows["entity"], rows[ID]) for coder in self._coders()]
        return torch.stack(errors).sum(dim=0)

    @torch.no_grad()
    def constrain(self) -> None:
        """Give the rows of W3 length 1."""
        self.code.weight.copy_(nn.functional.normalize(self.code.weight))

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return the codes, Float["u d"]."""
        return self.encode(entities)["entity"]

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the codes, Float["u d"]."""
        encodings = self.encode(entities) if encodings is None else encodings
        return encodings["entity"]

    def constants(self) -> dict[str, float]:
        """Return the margin."""
        return {"margin": self.config.margin}

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digests included."""
        digests = [coder.rows.digest() for coder in self._coders()]
        return {
            **super().identity(),
            "features": dict(zip(self.coders.keys(), digests, strict=True)),
        }

    def _coders(self) -> list[ModalCoder]:
        return [coder for coder in self.coders.values() if isinstance(coder, ModalCoder)]
