"""Features that Table 2 compares: aligned ones, and what may stand for missing pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.store import Features, ModalFeatures
from lbmkgc_models.feature_store.store_files import MANIFEST
from lbmkgc_models.features.cmoa.align import align
from lbmkgc_models.features.cmoa.command import load_both
from lbmkgc_models.features.cmoa.settings import AlignmentSettings

ALIGNED, RANDOM, RETRIEVED = "aligned", "random", "retrieved"
"""Folders of features: CMoA's; the same with random rows, or with those of the nearest picture, for
entities without a picture."""


def make_features(source: Path, folder: Path, dataset: str, share: float = 0.0) -> None:
    """Write the three folders of features; those that are there already stay.

    Without any picture nothing can be aligned or retrieved: there is the folder with random ones
    alone, beside texts as they were encoded.

    Parameters
    ----------
    source
        The encoders' stores, image and text.
    folder
        Where the three folders go.
    dataset
        Folder of the data set, whose entities count.
    share
        Of the pictures, how many are dropped before anything else.
    """
    kinds = (ALIGNED, RANDOM, RETRIEVED) if share < 1 else (RANDOM,)
    if all((folder / kind / "text" / MANIFEST).is_file() for kind in kinds):
        return
    both = load_both(source, dataset)
    if share < 1:
        completed = _aligned({**both, "image": drop(both["image"], share)})
    else:
        rows = random_rows(both["image"])
        completed = {RANDOM: (complete(drop(both["image"], 1), rows, "random"), both["text"])}
    for kind, (image, text) in completed.items():
        image.save(folder / kind / "image")
        text.save(folder / kind / "text")


def _aligned(both: Features) -> dict[str, tuple[ModalFeatures, ModalFeatures]]:
    """Return image and text features of each kind."""
    # All pairs train the heads in the end: what is measured here is the graph, not retrieval.
    found = align(both["image"], both["text"], AlignmentSettings(refit=True))
    image = with_rows(both["image"], found.image, f"CMoA of {both['image'].manifest.encoder}")
    text = with_rows(both["text"], found.text, f"CMoA of {both['text'].manifest.encoder}")
    return {
        ALIGNED: (image, text),
        RANDOM: (complete(image, random_rows(image), "random"), text),
        RETRIEVED: (complete(image, retrieved_rows(image, text), "the nearest picture"), text),
    }


def drop(features: ModalFeatures, share: float, seed: int = 0) -> ModalFeatures:
    """Return features without a share of the rows; what a smaller share drops, a larger does."""
    rows = features.present.nonzero()[:, 0]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))
    gone = rows[order[: round(share * len(rows))]]
    values, present = features.values.clone(), features.present.clone()
    values[gone], present[gone] = 0, False
    return replace(features, values=values, present=present)


def with_rows(features: ModalFeatures, rows: Tensor, encoder: str) -> ModalFeatures:
    """Return other rows, Float["entities d"], of the same entities."""
    manifest = replace(features.manifest, encoder=encoder, dim=rows.shape[1], dtype="float32")
    return replace(features, values=rows.float(), manifest=manifest)


def complete(features: ModalFeatures, rows: Tensor, what: str) -> ModalFeatures:
    """Return features where those who lack the modality have these rows, Float["entities d"]."""
    there = features.present[:, None]
    made = with_rows(
        features,
        torch.where(there, features.values, rows),
        f"{features.manifest.encoder}; where missing, {what}",
    )
    return replace(made, present=torch.ones_like(features.present))


def random_rows(features: ModalFeatures, seed: int = 0) -> Tensor:
    """Return a random direction for each entity: Float["entities d"], as long as rows are."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randn(features.values.shape, generator=generator)
    length = features.values[features.present].norm(dim=1).mean()
    return length * normalize(rows, dim=1)


def retrieved_rows(image: ModalFeatures, text: ModalFeatures) -> Tensor:
    """Return for each entity the picture that is nearest to its text: Float["entities d"].

    Both are in one space; an entity without a text has zeros.
    """
    pictures = image.values[image.present]
    nearest = (normalize(text.values, dim=1) @ normalize(pictures, dim=1).t()).argmax(dim=1)
    return pictures[nearest] * text.present[:, None]
