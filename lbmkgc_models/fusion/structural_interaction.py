"""The structural models that fused entities can be scored by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from openke.module.model import MODELS, Model


class Interaction(NamedTuple):
    """What a structural model is told by the model whose entities it scores."""

    shared: tuple[str, ...] = ("dim",)
    """Settings that are the outer model's own."""
    fixed: Mapping[str, Any] = {}
    """Settings that must be so."""


DISTANCE = ("dim", "margin", "epsilon")

INTERACTIONS: dict[str, Interaction] = {
    "Analogy": Interaction(),
    "ComplEx": Interaction(),
    "DistMult": Interaction(),
    "HolE": Interaction(),
    "RESCAL": Interaction(),
    "RotatE": Interaction(DISTANCE),
    "SimplE": Interaction(),
    "TransE": Interaction(DISTANCE, {"norm_flag": False}),  # a gate mixes before, not after it
    "TuckER": Interaction(),
}
"""Models whose query and match take an entity as one row, the same for every relation."""


def make_interaction(
    name: str, ent_tot: int, rel_tot: int, own: Mapping[str, Any], given: Mapping[str, Any]
) -> Model:
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
    if name not in INTERACTIONS:
        raise ValueError(
            f"interaction is {name!r}, expected one of {', '.join(INTERACTIONS)}: models that see "
            "an entity as one row, the same for every relation"
        )
    shared, fixed = INTERACTIONS[name]
    settled = [setting for setting in given if setting in shared or setting in fixed]
    if settled:
        raise ValueError(
            f"interaction_settings holds {', '.join(settled)}: of {name}, {', '.join(shared)} are "
            f"the outer model's own settings and {', '.join(fixed) or 'none'} must be as they are"
        )
    passed = {setting: own[setting] for setting in shared}
    return MODELS[name](ent_tot, rel_tot, **passed, **fixed, **given)
