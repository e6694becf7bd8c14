"""Features that a training makes on the way: of texts and pictures, in the user's cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.search_path import default_features_dir
from lbmkgc_models.feature_store.store_files import MANIFEST
from lbmkgc_models.feature_store.texts import TextChoice, read_texts
from lbmkgc_models.features.encoders.packaged import (
    available_image_encoder,
    available_text_encoder,
)
from lbmkgc_models.features.image import AS_TRAINING
from lbmkgc_models.features.text import is_of_others, is_outdated, made_of
from lbmkgc_models.runs.missing_features import IMAGE
from openke.data.store import TripleStore
from openke.datasets.graph_folder import PICTURES
from openke.runtime.files import is_there


@dataclass(frozen=True)
class FeatureSource:
    """Where the features of one modality are, or will be once they are encoded."""

    path: Path
    encoder: str = ""
    """What has to encode the texts or pictures first; "": they are there."""
    remark: str = ""


def made_by(
    text_encoder: str, texts: TextChoice, dataset: str, directory: Path | None
) -> FeatureSource:
    """Return the store of what an encoder makes of a data set's texts; unless there, to be made."""
    if directory is None:
        raise FileNotFoundError(
            f"features.text_encoder is {text_encoder!r}, but these triples come from no folder, "
            f"which would have the texts ({LABELS})"
        )
    folder = text_encoder.replace("/", "_") + ("" if texts == "all" else f".{texts}")
    path = default_features_dir(dataset) / folder / "text"
    # On another device or by another version it would be another store, which what was trained on
    # this one could not be loaded with: one that is there is kept.
    there = made_of(path) == read_texts(directory, texts).checksum()
    return FeatureSource(path, "" if there else text_encoder)


def texts_to_encode(
    directory: Path | None, choice: TextChoice, there: Path | None, dataset: str
) -> FeatureSource | None:
    """Return the text features to make: there are none, or those in the cache are outdated."""
    encoder = available_text_encoder()
    if directory is None or encoder is None or not is_there(directory / LABELS):
        return None
    if choice != "all":
        return made_by(encoder, choice, dataset, directory)
    texts = read_texts(directory)
    if not any(texts.texts) or not (there is None or is_outdated(there, texts, encoder)):
        return None
    again = ", made again: the store there was of other texts" if there is not None else ""
    return FeatureSource(default_features_dir(dataset) / "text", encoder, again)


def pictures_to_encode(
    directory: Path | None, there: Path | None, store: TripleStore
) -> FeatureSource | None:
    """Return the picture features to make, or to make again where the pictures are others."""
    encoder = available_image_encoder()
    names = store.entity_names
    if directory is None or encoder is None or names is None:
        return None
    if not (directory / PICTURES).is_dir() or not any((directory / PICTURES).iterdir()):
        return None
    if there is not None and not is_of_others(there, names):
        try:
            manifest = Manifest.read(there / MANIFEST)
            if manifest.encoder != encoder or not manifest.notes.get(AS_TRAINING, True):
                return None  # someone's choice
        except (OSError, ValueError):
            return None  # damaged: whoever loads it is told how
    # What is there of the same pictures is kept.
    return FeatureSource(default_features_dir(store.name) / IMAGE, encoder)
