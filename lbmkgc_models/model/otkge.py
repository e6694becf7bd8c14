"""OTKGE: ComplEx on structure, pictures and text, moved to structure by optimal transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.digest import digest_of
from lbmkgc_models.fusion.transport import Transport
from lbmkgc_models.model.mixed_complex import MixedComplEx, MixedComplExConfig
from openke.module.model.facts import checked_facts, drawn, seen_in
from openke.runtime.values import Count, Natural, Positive, Share, check_value


@dataclass(frozen=True, kw_only=True)
class OTKGEConfig(MixedComplExConfig):
    """Settings of :class:`OTKGE`; shares and scale are those of its run on WN9-IMG."""

    modal_shares: Mapping[str, float] = field(default_factory=lambda: {"image": 0.1, "text": 0.8})
    """alpha and gamma: shares of pictures and of text in an entity; of modalities that are not
    there they count nothing."""
    scale: Positive = 100.0
    """c: of the cost of transport, and of its plan."""
    plan_entities: Count = 10
    """Entities whose plans are averaged."""
    plan_of: Literal["seen", "first"] = "seen"
    """Which these are: drawn among those of train that have the modality, or, as in the authors'
    code, those of the first ids, so that the numbering of entities decides."""
    plan_seed: Natural = 0
    """Of that draw."""

    def __post_init__(self) -> None:
        """Check the shares."""
        for name, share in self.modal_shares.items():
            check_value(f"modal_shares.{name}", share, Share)
        if sum(self.modal_shares.values()) > 1:
            shares = " + ".join(map(str, self.modal_shares.values()))
            raise ValueError(
                f"modal_shares are {shares}, more than 1 together, which leaves nothing for "
                "structure; lower one"
            )


class OTKGE(MixedComplEx):
    """Score Re <e_h, r, conj e_t>, e = (1 - alpha - gamma) s + alpha T_v v + gamma T_x x.

    T_m = 2d c P_m + D_m for d complex coordinates: D_m is trained, P_m the mean of the optimal
    transport plans of some entities, from the numbers of a feature to those of the entity's s, with
    the cost c (a - b)^2 of moving a to b, see :func:`.transport_plan`. Plans have no gradient; they
    are made before each epoch. A missing modality adds nothing.

    Parameters
    ----------
    ent_tot, rel_tot
        Numbers of entities and relations.
    features
        By modality, at least one, each with a share in ``modal_shares``.
    triples
        Int["n 3"], the facts of train, whose entities are seen; without any, all are.
    **settings
        Fields of :class:`OTKGEConfig`.

    Raises
    ------
    ValueError
        No modality, one without a share, features of another number of entities, triples of another
        graph.

    References
    ----------
    Cao et al., OTKGE: Multi-modal Knowledge Graph Embeddings via Optimal Transport, NeurIPS 2022.
    What differs: its code makes plans in each step, of the entities 0 to 9. There the cross entropy
    is weighed by answer, ``training.answer_weights``, and N3 is summed over the batch and divided
    by d: its weight here is that weight times batch / d.
    """

    Config = OTKGEConfig
    citation = "Cao et al., NeurIPS 2022"
    config: OTKGEConfig
    projection = Transport
    needs_triples: ClassVar[bool] = True

    def __init__(
        self,
        ent_tot: int,
        rel_tot: int,
        features: Mapping[str, ModalFeatures],
        triples: ArrayLike = (),
        **settings: Any,
    ) -> None:
        super().__init__(ent_tot, rel_tot, features, **settings)
        seen = seen_in(checked_facts("OTKGE", triples, ent_tot, rel_tot), ent_tot)
        for name, found in features.items():
            self.register_buffer(_of(name), self._sample(seen & found.present), persistent=False)
        self.begin_epoch(0)

    def shares(self) -> Mapping[str, float]:
        """Return alpha and gamma."""
        shares = self.config.modal_shares
        for name in self.projectors.names:
            if name not in shares:
                raise ValueError(
                    f"modal_shares has no {name}, of which there are features; give its share, 0 "
                    "to below 1, or leave it out of features.modalities"
                )
        return shares

    @torch.no_grad()
    def begin_epoch(self, epoch: int) -> None:
        """Make the plans anew of structure as it is."""
        for name, projector in zip(self.projectors.names, self.projectors, strict=True):
            entities = self.get_buffer(_of(name))
            rows, there = projector.rows(entities), projector.rows.present[entities]
            structural = self.entity_embeddings(entities)
            assert isinstance(projector.layers, Transport)
            projector.layers.renew(rows * there[:, None], structural, scale=self.config.scale)

    def _sample(self, known: Tensor) -> Tensor:
        """Return entities, Int["n"], drawn among those that are known, Bool["entities"]."""
        c = self.config
        if c.plan_of == "first":
            return torch.arange(min(c.plan_entities, len(known)))
        return drawn(known, c.plan_entities, c.plan_seed)

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the entities of the plans included."""
        entities = {name: digest_of(self.get_buffer(_of(name))) for name in self.modal_views}
        return {**super().identity(), "plans": entities}


def _of(modality: str) -> str:
    return f"plan_of_{modality}"
