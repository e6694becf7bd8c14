"""Multimodal models of a run, made anew with the features they were trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lbmkgc_models.features.select import gather_features
from lbmkgc_models.ikrl import IKRL
from lbmkgc_models.lbmkgc import LBMKGC
from lbmkgc_models.store import ModalFeatures
from openke.data.store import TripleStore


def lbmkgc(store: TripleStore, saved: dict[str, Any], features: Path | None = None) -> LBMKGC:
    """Return an untrained LBMKGC as a run's ``settings.json`` describes it.

    Raises
    ------
    FileNotFoundError
        Features of a modality it was trained with are not there.
    """
    return LBMKGC(
        store.entity_count,
        store.relation_count,
        _features(store, saved, features),
        **saved["model"]["settings"],
    )


def ikrl(store: TripleStore, saved: dict[str, Any], features: Path | None = None) -> IKRL:
    """Return an untrained IKRL as a run's ``settings.json`` describes it.

    Raises
    ------
    FileNotFoundError
        Features of the modality it was trained with are not there.
    """
    return IKRL(
        store.entity_count,
        store.relation_count,
        _features(store, saved, features),
        **saved["model"]["settings"],
    )


def _features(
    store: TripleStore, saved: dict[str, Any], folder: Path | None
) -> dict[str, ModalFeatures]:
    trained = sorted(saved["model"]["features"])
    told = saved["options"].get("features")
    found = gather_features(
        store,
        modalities=",".join(trained) or "none",
        features=folder or (Path(told) if told else None),
        progress=False,
    )
    return {name: found.features[name] for name in trained}
