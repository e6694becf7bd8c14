"""Multimodal models of a run, made anew with the features they were trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lbmkgc_models.feature_store.search_path import find_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import TextChoice, check_choice
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.make_model import make_multimodal
from openke.data.store import TripleStore
from openke.module.model import Model
from openke.runs.load import not_installed


def multimodal(store: TripleStore, saved: dict[str, Any], features: Path | None = None) -> Model:
    """Return an untrained multimodal model as a run's ``settings.json`` describes it.

    Raises
    ------
    FileNotFoundError
        Features of a modality it was trained with are not there.
    ValueError
        The model's package is not installed.
    """
    model = saved["model"]
    if model["model"] not in MULTIMODAL:
        raise ValueError(not_installed(model["model"], MULTIMODAL.group))
    found = _features(store, saved, features)
    return make_multimodal(
        model["model"], store, model["relations"], found, model["settings"], _texts(saved)
    )


def _features(
    store: TripleStore, saved: dict[str, Any], folder: Path | None
) -> dict[str, ModalFeatures]:
    trained = sorted(saved["model"]["features"])
    text_encoder, chosen = _section(saved)
    if folder is None and chosen:
        folder = Path(chosen)
    given = folder is not None and "text" in find_features(folder, store.name)
    encoder = "" if given or "text" not in trained else text_encoder
    found = gather_features(
        store,
        modalities=",".join(trained) or "none",
        features=folder,
        text_encoder=encoder,
        texts=_texts(saved),
        progress=False,
    )
    return {name: found.features[name] for name in trained}


def _section(saved: dict[str, Any]) -> tuple[str, str]:
    """Return text encoder and folder of features; runs of earlier releases have them as options."""
    section = saved.get("recipe", {}).get("features")
    if section is not None:
        return section["text_encoder"], section["folder"]
    options = saved["options"]
    return options.get("text_encoder", ""), options.get("features") or ""


def _texts(saved: dict[str, Any]) -> TextChoice:
    """Return which texts a run had; those of earlier releases had no others than descriptions."""
    return check_choice(saved.get("recipe", {}).get("features", {}).get("texts", "descriptions"))
