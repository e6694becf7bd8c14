"""Recipes that learn something within minutes, for whoever names a model and nothing else."""

from __future__ import annotations

from typing import Any

from openke.module.model.bilinear import Bilinear
from openke.module.model.decoder import Decoder
from openke.runs.recipe import KNOWN_MODELS, Recipe

AGAINST_ALL: dict[str, Any] = {
    "objective": "1vsall",
    "reciprocal": True,
    "penalty": {"name": "N3", "weight": 0.05},
    "optimizer": "adagrad",
    "lr": 0.1,
    "epochs": 15,
    "batch_size": 1000,
}
"""Scores that are dot products: all entities are one product, and N3 keeps factors small."""
SAMPLED: dict[str, Any] = {
    "objective": "negative sampling",
    "loss": {"name": "SigmoidLoss", "adv_temperature": 1.0},
    "sampling": {"neg_ent": 64, "bern_flag": True},
    "optimizer": "adam",
    "lr": 1e-3,
    "epochs": 60,
    "batch_size": 512,
}
"""Distances: comparing with all entities costs as much as a whole evaluation, so some are drawn."""
ALL_AT_ONCE: dict[str, Any] = {
    "objective": "kvsall",
    "loss": "bce",
    "label_smoothing": 0.1,
    "optimizer": "adam",
    "lr": 1e-3,
    "epochs": 40,
    "batch_size": 1000,
}
"""Decoders score all entities anyway; sampled negatives would throw nearly all of these away."""
EVALUATION = {"every": 3, "patience": 3}
SETTINGS: dict[str, dict[str, Any]] = {
    "Analogy": {"dim": 50, "init_scale": 1e-3},
    "ComplEx": {"dim": 100, "init_scale": 1e-3},
    "DistMult": {"dim": 200, "init_scale": 1e-3},
    "HolE": {"dim": 200, "init_scale": 1e-3},
    "RESCAL": {"dim": 50, "init_scale": 1e-3},
    "SimplE": {"dim": 100, "init_scale": 1e-3},
    "TuckER": {"dim": 100, "dim_r": 50},
    "RotatE": {"dim": 100, "margin": 9.0},
    "TransE": {"dim": 200, "norm_flag": False, "margin": 9.0, "epsilon": 2.0},
    "TransH": {"dim": 200, "norm_flag": False, "margin": 9.0, "epsilon": 2.0},
    "TransR": {"dim_e": 100, "dim_r": 100, "margin": 9.0},
    "TransD": {"dim_e": 100, "dim_r": 100, "margin": 9.0, "epsilon": 2.0},
    "PairRE": {"dim": 200, "margin": 6.0},
    "OTE": {"dim": 200, "group": 10},
    "GCOTE": {"dim": 100, "group": 10},
}
"""Sizes that two cores train in minutes; those of publications are larger."""


def default_recipe(model: str) -> Recipe:
    """Return a recipe for a model over structure.

    One of another package has its own settings.
    """
    kind = KNOWN_MODELS.get(model)
    dots = isinstance(kind, type) and issubclass(kind, Bilinear)
    decodes = isinstance(kind, type) and issubclass(kind, Decoder)
    training = dict(AGAINST_ALL if dots else ALL_AT_ONCE if decodes else SAMPLED)
    if model == "TuckER":  # it has batch normalisation and dropout instead of a penalty
        changes = {"penalty": None, "optimizer": "adam", "lr": 1e-3, "label_smoothing": 0.1}
        training |= {**changes, "objective": "kvsall", "loss": "bce", "epochs": 40}
    return Recipe.from_dict(
        {
            "model": {"name": model, **SETTINGS.get(model, {})},
            "training": training,
            "evaluation": EVALUATION,
        }
    )
