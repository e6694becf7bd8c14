"""What IKRL, TBKGC, QEB and MMKRL share: sums of TransE energies between parts of entities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import Missing
from lbmkgc_models.fusion.joint_projection import JointProjection
from lbmkgc_models.fusion.projection import require_features
from openke.data.batch import Side
from openke.module.interaction import translate
from openke.module.model.transe import TransE, TransEConfig
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings

STRUCTURE_AND_MODALITY = (
    ("entity", "entity"),
    ("modal", "entity"),
    ("entity", "modal"),
    ("modal", "modal"),
)
"""The energies of IKRL, which the others have, too."""


@dataclass(frozen=True, kw_only=True)
class ModalTranslationConfig(TransEConfig):
    """Settings of :class:`ModalTranslation`; the margin belongs to the sum of the energies."""

    tuned: bool = False
    """Train the features, too, as the code of later comparisons does; see :class:`.FeatureRows`."""
    missing: Missing = "mask"
    """What stands for features that an entity lacks, see :data:`.Missing`."""

    @property
    def rows(self) -> dict[str, Any]:
        """How projectors take features."""
        return {"tuned": self.tuned, "missing": self.missing}


class ModalTranslation(TransE):
    """Score gamma - sum of E(a, b) over pairs of parts, E(a,b) = ||a_h + r - b_t||_p.

    The parts are what :meth:`parts` makes of an entity: "entity", its structural vector s, "modal",
    the joint projection m of its features, and what a subclass adds. With ``norm_flag`` each
    part and r are L2-normalised.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one.
    **settings
        Fields of the class's ``Config``.

    Raises
    ------
    ValueError
        No modality, or features of another number of entities.
    """

    config: ModalTranslationConfig
    several_rows: ClassVar[bool] = False
    """Whether an entity may have several rows of features."""
    energies: ClassVar[tuple[tuple[str, str], ...]] = STRUCTURE_AND_MODALITY
    """Which part of one side of a triple meets which of the other; each pair both ways."""

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, **settings)
        owner = type(self).__name__
        require_features(owner, ent_tot, features, several=self.several_rows)
        self.projectors = self.make_projectors(features)
        self.modal_views = tuple(self.projectors.names)

    def make_projectors(self, features: Mapping[str, ModalFeatures]) -> JointProjection:
        """Return what projects the features and joins their projections to m."""
        raise NotImplementedError(f"{type(self).__name__} has no make_projectors")

    def encode(self, entities: Tensor) -> Encodings:
        """Return :meth:`fuse` of :meth:`views`."""
        return self.fuse(self.views(entities))

    def views(self, entities: Tensor) -> Encodings:
        """Return "entity", s, and the projection of each modality: Float["u ..."]."""
        return {"entity": self.ent_embeddings(entities), **self.projectors.views(entities)}

    def fuse(self, views: Encodings) -> Encodings:
        """Return :meth:`parts`, normalised where ``norm_flag`` says so: Float["u d"] each."""
        structural = views["entity"]
        parts = self.parts(structural, self.projectors.joint(views, structural))
        return {name: self._normalise(rows) for name, rows in parts.items()}

    def parts(self, structural: Tensor, modal: Tensor) -> Encodings:
        """Return the parts of entities whose s and m these are: Float["u d"] each."""
        return {"entity": structural, "modal": modal}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return the translated parts of the known entity: Float["q d"] each."""
        vector = self._normalise(self.translation(relation))
        return {part: translate.query(rows, vector, side) for part, rows in anchor.items()}

    def translation(self, relation: Tensor) -> Tensor:
        """Return the vectors r that move an entity: Float["q d"]."""
        rows: Tensor = self.rel_embeddings(relation)
        return rows

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return margin minus the energies."""
        return self.margin + self.closeness(query, candidates, compare)

    def closeness(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return minus the sum of the energies."""
        meeting: dict[str, list[Tensor]] = {}
        for known, other in self.energies:
            meeting.setdefault(other, []).append(query[known])
        terms = (compare.total(self.kind, meeting[part], candidates[part]) for part in meeting)
        return sum(terms, start=query[self.energies[0][0]].new_zeros(()))

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the features' digest included."""
        return {**super().identity(), "features": self.projectors.digests()}
