"""What is said of features that are not there: where they were looked for, and ways to get them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.feature_store.search_path import PTH_ENDINGS, find_features
from lbmkgc_models.features import classes
from lbmkgc_models.features.encoders.packaged import INSTALL, available_text_encoder
from openke.runtime.files import is_there
from openke.runtime.names import did_you_mean

IMAGE = "image"
KNOWN = (IMAGE, "text")


def none_found(modality: str, directory: Path | None) -> str:
    """Return a remark on a modality that is not used since there is none."""
    labelled = directory is not None and is_there(directory / LABELS)
    if modality == "text" and labelled and available_text_encoder() is None:
        return f"text: none found, and no encoder that makes it of {LABELS} ({INSTALL})"
    return f"{modality}: none found"


def require_some(features: Path, dataset: str) -> None:
    """Raise ``FileNotFoundError`` where a folder that was named has no features."""
    if find_features(features, dataset):
        return
    there = "it is no folder"
    if features.is_dir():
        names = ", ".join(sorted(path.name for path in features.iterdir())[:10]) or "nothing"
        there = f"it holds {names}"
    raise FileNotFoundError(
        f"{features}: no features of {dataset} there ({there}); expected a folder with "
        f"feature stores (image/, text/, as 'openke features' writes them) or "
        + " or ".join(dataset + ending for ending in PTH_ENDINGS.values())
    )


def ways_to_get(
    modality: str,
    dataset: str,
    places: Sequence[Path],
    directory: Path | None,
    found: Collection[str],
) -> str:
    """Return the message for a modality that was asked for and is not there.

    Parameters
    ----------
    modality
        What was asked for.
    dataset, directory
        Name and folder of the data set.
    places
        Where it was looked for.
    found
        Modalities that are there.
    """
    known = dict.fromkeys([*KNOWN, classes.MODALITY, *found])
    ways = [f"name a folder that holds the store {modality}/ as features.folder"]
    if modality not in known:
        near = did_you_mean(modality, known)
        ways.insert(0, f"expected modalities such as {', '.join(known)}{near}")
    if modality in PTH_ENDINGS:
        ways.append(
            f"or one with {dataset}{PTH_ENDINGS[modality]}, as MMRNS, AdaMF-MAT and LBMKGC publish "
            "it"
        )
    if modality == "text":
        labels = (
            ""
            if directory is not None and is_there(directory / LABELS)
            else (f"give the data set a {LABELS} (id, raw name, label, description) and ")
        )
        ways.append(f"or {labels}install a sentence encoder ({INSTALL})")
        ways.append(f"or run 'openke features text {directory or dataset}' with an --encoder")
    if modality == "image":
        ways.append(f"or run 'openke features image {directory or dataset} --pictures FOLDER'")
    ways.append("or leave it out: auto as features.modalities uses what there is")
    return (
        f"no {modality} features of {dataset} in {', '.join(map(str, places))}; {', '.join(ways)}"
    )
