"""TBKGC: TransE energies of structure, of joint modalities, across both and of their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.joint_projection import (
    ConcatenatedProjection,
    JointProjection,
    SummedProjection,
)
from lbmkgc_models.model.modal_translation import (
    STRUCTURE_AND_MODALITY,
    ModalTranslation,
    ModalTranslationConfig,
)
from openke.kernels.product import Linear
from openke.module.model.tables import start_bound, table
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Count


@dataclass(frozen=True, kw_only=True)
class TBKGCConfig(ModalTranslationConfig):
    """Settings of :class:`TBKGC`; the margin belongs to the sum of energies."""

    tanh: bool = False
    """The paper's form: s and r behind one tanh layer, the features behind another. Later
    comparisons have neither."""
    structure_dim: Count | None = None
    """With ``tanh``, the reals of s and r before their layer; None: ``dim``."""

    def __post_init__(self) -> None:
        """Check that there is a layer to be before."""
        if self.structure_dim is not None and not self.tanh:
            raise ValueError(
                f"structure_dim is {self.structure_dim}, the width before a tanh layer; set tanh, "
                "or leave it out"
            )


class TBKGC(ModalTranslation):
    """Score gamma - [E(s,s) + E(m,m) + E(s,m) + E(m,s) + E(s+m,s+m)], E(a,b) = ||a_h + r - b_t||_p.

    s is the structural table and m = [W_v v + b_v ; W_x x + b_x] the projections of picture and
    text features beside each other, d/2 reals each; of one modality alone all d. An entity that
    lacks a modality has the numbers of s in its place: without any, m = s.

    With ``tanh`` s and r are tanh(S s + b_s) and tanh(S r + b_s) of their tables, and m =
    tanh(W [v ; x] + b), where a modality that an entity lacks adds nothing.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one.
    **settings
        Fields of :class:`TBKGCConfig`.

    Raises
    ------
    ValueError
        No modality, more modalities than reals, or features of another number of entities.

    References
    ----------
    Mousselly-Sergieh et al., A Multimodal Translation-Based Approach for Knowledge Graph
    Representation Learning, StarSEM 2018. What later comparisons call TBKGC has no tanh layers;
    that is the default; their code also trains the features (``tuned``). The paper has
    ``norm_flag`` False and takes the tables of a trained TransE, kept as they are: see
    :meth:`keep_structure`. Its two hinges, one for tails and one for heads with -r, add up to a
    MarginLoss of one negative of each side, since E(t, -r, h) = E(h, r, t).
    """

    Config = TBKGCConfig
    citation = "Mousselly-Sergieh et al., StarSEM 2018"
    config: TBKGCConfig
    energies: ClassVar[tuple[tuple[str, str], ...]] = (*STRUCTURE_AND_MODALITY, ("sum", "sum"))

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        c = self.config
        if c.tanh:
            inner = c.structure_dim or c.dim
            bound = start_bound(type(self).__name__, c.margin, c.epsilon, inner)
            self.ent_embeddings = table(ent_tot, inner, bound)
            self.rel_embeddings = table(rel_tot, inner, bound)
            self.mapping = Linear(inner, c.dim)

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> JointProjection:
        """Return W_v and W_x, or W and b."""
        c = self.config
        if c.tanh:
            return SummedProjection(features, c.dim, tanh=True, **c.rows)
        return ConcatenatedProjection(features, c.dim, **c.rows)

    def keep_structure(self, entities: Tensor, relations: Tensor) -> None:
        """Take the tables of a trained model, Float["e d"] and Float["r d"], and freeze them.

        Raises
        ------
        ValueError
            Tables of other shapes than this model's.
        """
        found = {"entities": entities, "relations": relations}
        tables = {"entities": self.ent_embeddings, "relations": self.rel_embeddings}
        for name, rows in found.items():
            expected = tables[name].weight.shape
            if rows.shape != expected:
                raise ValueError(
                    f"{name} is {tuple(rows.shape)}, expected {tuple(expected)}: with tanh set "
                    "structure_dim to the trained model's dim, else dim"
                )
        for name, rows in found.items():
            weight = tables[name].weight
            weight.data.copy_(rows)
            weight.requires_grad_(False)

    def fuse(self, views: Encodings) -> Encodings:
        """Return :meth:`parts`, normalised where ``norm_flag`` says so: Float["u d"] each."""
        return super().fuse({**views, "entity": self._mapped(views["entity"])})

    def translation(self, relation: Tensor) -> Tensor:
        """Return r: Float["q d"]."""
        return self._mapped(self.rel_embeddings(relation))

    def _mapped(self, rows: Tensor) -> Tensor:
        """Return rows of structure behind their layer, where there is one."""
        if not self.config.tanh:
            return rows
        mapped: Tensor = self.mapping(rows)
        return mapped.tanh()

    def parts(self, structural: Tensor, modal: Tensor) -> Encodings:
        """Return "entity", "modal" and "sum", s + m: Float["u d"] each."""
        return {"entity": structural, "modal": modal, "sum": structural + modal}
