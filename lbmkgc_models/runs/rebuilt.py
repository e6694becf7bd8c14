"""A multimodal model of a run and its features, as they were in training."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lbmkgc_models.feature_store.mentions import read_mentions, write_mentions
from lbmkgc_models.feature_store.search_path import find_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import TextChoice, check_choice
from lbmkgc_models.features.small_pictures import pictures_in, write_small
from lbmkgc_models.fusion.structure_mask import StructureMask, read_seen, write_seen
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.make_model import make_multimodal, takes_tokens
from openke.data.store import TripleStore
from openke.module.model import Model
from openke.runs.packed import FEATURES
from openke.runs.rebuilders import not_installed

MENTIONS, SEEN = "mentions.safetensors", "seen.safetensors"
"""Beside the features in the folder of a run."""


def rebuilt(store: TripleStore, saved: dict[str, Any], features: Path | None = None) -> Model:
    """Return an untrained multimodal model as a run's ``settings.json`` describes it.

    Mentions, and which entities are seen, are those that lie beside the features, where some do.

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
    mentions, seen = (None if features is None else features / name for name in (MENTIONS, SEEN))
    return make_multimodal(
        model["model"],
        store,
        model["relations"],
        features_of(store, saved, features),
        model["settings"],
        texts_of(saved),
        None if mentions is None or not mentions.is_file() else read_mentions(mentions),
        None if seen is None or not seen.is_file() else read_seen(seen),
    )


def features_of(
    store: TripleStore, saved: dict[str, Any], folder: Path | None
) -> dict[str, ModalFeatures]:
    """Return the features that a run was trained with, from a folder or where they were."""
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
        texts=texts_of(saved),
        tokens=takes_tokens(saved["model"]["model"]),
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


def write_parts(folder: Path, model: Model, features: Mapping[str, ModalFeatures]) -> None:
    """Write what a model needs beside its weights into FOLDER/features.

    Features, mentions, and which entities are seen.
    """
    for modality, found in features.items():
        found.save(folder / FEATURES / modality)
    inner = getattr(model, "inner", model)
    mentioned, mask = getattr(inner, "mentioned", None), getattr(inner, "mask", None)
    if mentioned is not None:
        write_mentions(folder / FEATURES / MENTIONS, mentioned.mentions)
    if isinstance(mask, StructureMask) and mask.seen is not None:
        write_seen(folder / FEATURES / SEEN, mask.seen)


def write_pictures(folder: Path, store: TripleStore) -> None:
    """Write small copies of a data set's pictures into FOLDER/pictures, where Pillow is there."""
    directory = store.directory
    here = directory is not None and directory.resolve() == folder.resolve()
    if not here and find_spec("PIL") is not None:
        write_small(folder, pictures_in(directory, store.entity_names))


def texts_of(saved: dict[str, Any]) -> TextChoice:
    """Return which texts a run had; those of earlier releases had no others than descriptions."""
    return check_choice(saved.get("recipe", {}).get("features", {}).get("texts", "descriptions"))
