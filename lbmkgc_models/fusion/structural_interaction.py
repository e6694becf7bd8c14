"""The structural models that fused entities can be scored by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import nn

from openke.module.model import MODELS, Model
from openke.runtime.names import check_known


@dataclass(frozen=True, eq=False)
class StructuralInteraction:
    """A structural model that scores vectors which another model makes.

    It is no module: the other model registers its :meth:`parts` under the names they have here, so
    that tables trained alone fit the fused model.
    """

    scorer: Model
    """Asks and matches; of its entity tables nothing is asked but :meth:`entity_embeddings`."""

    @property
    def width(self) -> int:
        """Reals of an entity."""
        return self.scorer.entity_embeddings(torch.zeros(1, dtype=torch.long)).shape[1]

    def parts(self, *, entities: bool) -> dict[str, nn.Module]:
        """Return the modules that are trained, with or without the tables of entities."""
        named = self.scorer.named_children()
        return {name: part for name, part in named if entities or not name.startswith("ent_")}


class Shared(NamedTuple):
    """What a structural model is told by the model whose entities it scores."""

    settings: tuple[str, ...] = ("dim",)
    """Settings that are the outer model's own."""
    fixed: Mapping[str, Any] = {}
    """Settings that must be so."""


DISTANCE = ("dim", "margin", "epsilon")

INTERACTIONS: dict[str, Shared] = {
    "Analogy": Shared(),
    "ComplEx": Shared(),
    "DistMult": Shared(),
    "HolE": Shared(),
    "RESCAL": Shared(),
    "RotatE": Shared(DISTANCE),
    "SimplE": Shared(),
    "TransE": Shared(DISTANCE, {"norm_flag": False}),  # a gate mixes before, not after it
    "TuckER": Shared(),
}
"""Models whose query and match take an entity as one row, the same for every relation."""


def make_interaction(
    name: str, ent_tot: int, rel_tot: int, own: Mapping[str, Any], given: Mapping[str, Any]
) -> StructuralInteraction:
    """Return the model called ``name``, untrained.

    Parameters
    ----------
    name
        One of :data:`INTERACTIONS`.
    ent_tot, rel_tot
        Numbers of entities and relations.
    own
        The outer model's settings, of which it gets those it shares.
    given
        Its other settings, e.g. ``{"dim_r": 100}`` of TuckER.

    Raises
    ------
    ValueError
        Another model, or a setting that it does not have or that is not free.
    """
    one_row = ": models that see an entity as one row, the same for every relation"
    check_known("interaction", name, INTERACTIONS, one_row)
    shared, fixed = INTERACTIONS[name]
    settled = [setting for setting in given if setting in shared or setting in fixed]
    if settled:
        raise ValueError(
            f"interaction_settings holds {', '.join(settled)}: of {name}, {', '.join(shared)} are "
            f"the outer model's own settings and {', '.join(fixed) or 'none'} must be as they are"
        )
    passed = {setting: own[setting] for setting in shared}
    return StructuralInteraction(MODELS[name](ent_tot, rel_tot, **passed, **fixed, **given))
