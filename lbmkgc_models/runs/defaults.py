"""Recipes that learn something within minutes, for models with pictures and text."""

from __future__ import annotations

from typing import Any

from lbmkgc_models.runs.make_model import modalities_of
from openke.runs import defaults
from openke.runs.recipe import Recipe

LBMKGC: dict[str, Any] = {
    "model": {
        "name": "LBMKGC",
        "dim": 100,
        "interaction": "ComplEx",
        "interaction_settings": {"init_scale": 1e-3},
        "gate": "sum",
        "projection": "linear",
        "modal_scale": 1e-3,
        "drop_structure": 0.1,
        "drop_unseen": True,
    },
    "training": defaults.AGAINST_ALL,
    "evaluation": defaults.EVALUATION,
}
"""Trained against all entities: the published way, by sampled negatives, takes days."""
ADAMF: dict[str, Any] = {
    "model": {"name": "AdaMF", "dim": 100, "margin": 9.0, "tuned": False},
    "training": {
        **defaults.SAMPLED,
        "loss": "SampledSoftmaxLoss",
        "sampling": {"neg_ent": 500, "negatives": "shared"},
    },
    "evaluation": defaults.EVALUATION,
}
"""Features are frozen, which is faster and on the bundled graph better, too."""
IKRL: dict[str, Any] = {
    "model": {"name": "IKRL", "dim": 100, "margin": 20.0, "epsilon": 2.0},
    "training": defaults.SAMPLED,
    "evaluation": defaults.EVALUATION,
}
TBKGC: dict[str, Any] = {
    "model": {"name": "TBKGC", "dim": 150, "norm_flag": False, "margin": 8.0, "epsilon": 2.0},
    "training": defaults.SAMPLED,
    "evaluation": defaults.EVALUATION,
}
QEB: dict[str, Any] = {
    "model": {"name": "QEB", "dim": 100, "margin": 6.0, "epsilon": 2.0},
    "training": defaults.SAMPLED,
    "evaluation": defaults.EVALUATION,
}
MMKRL: dict[str, Any] = {
    "model": {"name": "MMKRL", "dim": 100, "margin": 6.0, "epsilon": 2.0},
    "training": {**defaults.SAMPLED, "auxiliary": {"alignment": 0.1}},
    "evaluation": defaults.EVALUATION,
}
TRANSAE: dict[str, Any] = {
    "model": {"name": "TransAE", "dim": 100, "hidden": {"image": 100, "text": 100}, "margin": 6.0},
    "training": {
        **defaults.SAMPLED,
        "auxiliary": {"reconstruction": 0.01},
        "batch_size": 2048,
        "lr": 3e-3,
    },
    "evaluation": defaults.EVALUATION,
}
"""A batch is large since a step encodes, and rebuilds, nearly all entities of a small graph."""
MMRNS: dict[str, Any] = {
    "model": {"name": "MMRNS", "interaction_settings": defaults.SETTINGS["TransE"]},
    "training": {
        **defaults.SAMPLED,
        "objective": {"name": "MMRNS", "draws": 10},
        "sampling": {
            "neg_ent": 500,
            "negatives": "shared",
            "sampling_mode": "cross",
            "weights": "frequency",
        },
        "epochs": 40,
    },
    "evaluation": defaults.EVALUATION,
}
"""Fewer candidates and draws than published, which the bundled graph would not have."""

RSME: dict[str, Any] = {
    "model": {"name": "RSME", "dim": 100, "modal_share": 0.3, "structural_weight": 0.95},
    "training": defaults.AGAINST_ALL,
    "evaluation": defaults.EVALUATION,
}
OTKGE: dict[str, Any] = {
    "model": {
        "name": "OTKGE",
        "dim": 100,
        "modal_shares": {"image": 0.1, "text": 0.3},
        "scale": 1.0,
    },
    "training": {**defaults.AGAINST_ALL, "answer_weights": "frequency"},
    "evaluation": defaults.EVALUATION,
}
IMF: dict[str, Any] = {
    "model": {"name": "IMF", "dim": 64, "hidden_dropout1": 0.2, "hidden_dropout2": 0.3},
    "training": {
        "objective": "1vsall",
        "reciprocal": True,
        "optimizer": "adam",
        "lr": 3e-3,
        "epochs": 40,
        "batch_size": 512,
    },
    "evaluation": defaults.EVALUATION,
}
"""Published are kvsall with bce-conve, which wants a thousand epochs, and four cores of 256^3."""


BY_TOKENS: dict[str, Any] = {
    "objective": "1vsall",
    "one_side": True,
    "optimizer": "adam",
    "lr": 3e-3,
    "schedule": "cosine",
    "clip_norm": 0.1,
    "epochs": 50,
    "batch_size": 512,
}
"""Training of models that encode all entities as sets of tokens in every step."""
VISTA: dict[str, Any] = {
    "model": {
        "name": "VISTA",
        "dim": 64,
        "hidden": 128,
        "entity_layers": 1,
        "decoder_layers": 1,
        "dropout": 0.3,
        "modal_dropout": {"image": 0.3, "text": 0.1},
    },
    "training": BY_TOKENS,
    "evaluation": defaults.EVALUATION,
}
"""Small: every step encodes all entities."""
MYGO: dict[str, Any] = {
    "model": {
        "name": "MyGO",
        "dim": 64,
        "hidden": 128,
        "dropout": 0.3,
        "modal_dropout": {"image": 0.3, "text": 0.1},
        "query_dropout": 0.0,
        "matrix_dropout": 0.0,
        "input_dropout": 0.0,
    },
    "training": {**BY_TOKENS, "auxiliary": {"contrast": 0.01}},
    "evaluation": defaults.EVALUATION,
}


def default_recipe(model: str) -> Recipe:
    """Return a recipe for any registered model, as it is for a graph of some thousand entities.

    ``openke train`` fits it to the size of its graph, and so does ``run(recipe, fit=fitted)``, with
    :func:`.fitted`: where a graph has 40 entities, 64 negatives of a triple are refused without it.
    """
    if modalities_of(model) == "none":
        return defaults.default_recipe(model)
    known: dict[str, dict[str, Any]] = {
        found["model"]["name"]: found
        for found in (
            *(ADAMF, IKRL, IMF, LBMKGC, MMKRL, MMRNS, MYGO),
            *(OTKGE, QEB, RSME, TBKGC, TRANSAE, VISTA),
        )
    }
    other = {"model": model, "training": defaults.SAMPLED, "evaluation": defaults.EVALUATION}
    return Recipe.from_dict(known.get(model, other))
