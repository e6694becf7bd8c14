"""The settings of a picture graph's row for a data set without pictures, where text stands in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comparison.table_rows import BUNDLED, FOLDER, Row, write_row
from lbmkgc_models.runs.make_model import takes_tokens
from openke.runs.parts import divide
from openke.runtime.json_text import read_json_file

IMAGE, TEXT = "image", "text"
ENCODER, TEXTS = "minilm+spelling", "descriptions"
"""How texts are read where their features are not beside the data set."""
LOOKS = 20
"""How often dev is looked at, at most, before the last epoch."""
PATIENCE = 3


def move(row: Row, dataset: str, epochs: int = 0, folder: Path = FOLDER) -> Path:
    """Write a row's settings for another data set, which has text alone, and return the file.

    What is said of pictures goes; a model of pictures alone reads texts instead. Settings that the
    row's file does not name stay unnamed.

    Parameters
    ----------
    row
        A tuned row of the bundled graph.
    epochs
        The most that dev may choose there; 0: as many as the row has.
    """
    recipe = read_json_file(folder / row.dataset / f"{row.stem}.json")["recipe"]
    epochs = epochs or row.recipe.training.epochs
    sees = recipe["features"]["modalities"] != "none"
    features: dict[str, Any] = {"modalities": "none"}
    if sees:
        features = {"modalities": [TEXT], "texts": TEXTS}
        if not takes_tokens(divide("model", recipe["model"])[0]):
            features["text_encoder"] = ENCODER
    recipe = {
        **recipe,
        "model": _without_pictures(recipe["model"]),
        "data": {"name": dataset},
        "features": features,
        "training": {**recipe["training"], "epochs": epochs},
        "evaluation": {"every": math.ceil(epochs / LOOKS), "patience": PATIENCE},
    }
    with_text = ", with text alone" if sees else ""
    source = f"those found for {BUNDLED}{with_text}; nothing was chosen here but the epochs"
    path = folder / dataset / f"{row.stem}.json"
    write_row(path, source, recipe)
    return path


def _without_pictures(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model's settings without those of each modality that are of pictures."""
    return {
        name: {of: value for of, value in held.items() if of != IMAGE}
        if isinstance(held, Mapping)
        else held
        for name, held in settings.items()
    }
