"""RSME: ComplEx on structure and pictures, whose likeness counts where a relation is of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import ArrayLike
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.mean_rank_percentage import mean_rank_percentages, unit_rows
from lbmkgc_models.model.mixed_complex import MixedComplEx, MixedComplExConfig
from openke.data.batch import Side
from openke.module.model.facts import checked_facts
from openke.module.scoring.compare import Compare
from openke.module.scoring.encodings import Encodings
from openke.runtime.values import Fraction, Share

PICTURE = "picture"


@dataclass(frozen=True, kw_only=True)
class RSMEConfig(MixedComplExConfig):
    """Settings of :class:`RSME`; shares are those of its code."""

    modal_share: Share = 0.7
    """alpha: share of the projected picture in an entity."""
    structural_weight: Fraction = 0.5
    """beta: weight of ComplEx's score where triples are ranked; the likeness has 1 - beta."""
    remember: Fraction = 0.5
    """The gate of a relation is 1 where its mean rank percentage is below this."""


class RSME(MixedComplEx):
    """Score beta Re <e_h, r, conj e_t> + (1 - beta) g_r cos(v_h, v_t), e = (1 - a) s + a P v.

    a is alpha, v the frozen feature of an entity's picture, s the structural table. A training step
    sees Re <e_h, r, conj e_t> alone: beta, the cosine and the gate count where triples are ranked.
    The forget gate g_r is 1 or 0, found before training: the facts of train whose head and tail are
    joined by one relation say how well the cosine tells their tails, see
    :func:`.mean_rank_percentages`. A relation's inverse has its gate. Without a picture v is zero.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        Exactly one modality; the paper's is "image".
    triples
        Int["n 3"], the facts of train; without any, all gates are 0.
    **settings
        Fields of :class:`RSMEConfig`.

    Raises
    ------
    ValueError
        No modality or more than one, features of another number of entities, triples of another
        graph.

    References
    ----------
    Wang et al., Is Visual Context Really Helpful for Knowledge Graph? A Representation Learning
    Perspective, ACM MM 2021. What differs: its code counts valid and test facts for the gate, too,
    and a missing picture as a row of zeros there. Its filter gate, which chooses one of several
    pictures, is ``openke features image --several typical``. Later comparisons have another model
    under this name, structure and picture side by side against sampled negatives.
    """

    Config = RSMEConfig
    citation = "Wang et al., ACM MM 2021"
    config: RSMEConfig
    one_modality: ClassVar[bool] = True
    needs_triples: ClassVar[bool] = True

    unit: Tensor
    gate: Tensor

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        triples: ArrayLike = (),
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        if len(features) != 1:
            raise ValueError(f"RSME takes features of one modality, got {', '.join(features)}")
        facts = checked_facts("RSME", triples, ent_tot, rel_tot)
        (found,) = features.values()
        percentages = mean_rank_percentages(facts, found, rel_tot)
        gate = (percentages < self.config.remember).to(found.values.dtype)
        self.register_buffer("unit", unit_rows(found), persistent=False)
        self.register_buffer("gate", gate)  # saved: another processor may rank close cosines else

    def shares(self) -> Mapping[str, float]:
        """Return alpha."""
        return dict.fromkeys(self.projectors.names, self.config.modal_share)

    def pair_inverses(self) -> None:
        """Give inverses the gates of their relations."""
        half = len(self.gate) // 2
        self.gate[half:] = self.gate[:half]

    def views(self, entities: Tensor) -> Encodings:
        """Return also "picture" where triples are ranked: v of length 1, Float["u f"]."""
        found = super().views(entities)
        return found if self.training else {**found, PICTURE: self.unit[entities]}

    def fuse(self, views: Encodings) -> Encodings:
        """Return "entity", e, Float["u 2d"], and "picture" where it is among the views."""
        picture = {PICTURE: views[PICTURE]} if PICTURE in views else {}
        return {**super().fuse(views), **picture}

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return "query", Float["q 2d"], and where triples are ranked "picture", Float["q f"]."""
        asked = super().query(anchor, relation, side)
        if PICTURE not in anchor:
            return asked
        weight = (1 - self.config.structural_weight) * self.gate[relation]
        return {**asked, PICTURE: weight[:, None] * anchor[PICTURE]}

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return ComplEx's score, and where triples are ranked the sum of both terms."""
        score = super().match(query, candidates, compare)
        if PICTURE not in query:
            return score
        likeness = compare("dot", query[PICTURE], candidates[PICTURE])
        return self.config.structural_weight * score + likeness
