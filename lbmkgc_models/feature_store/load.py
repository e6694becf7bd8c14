"""Loading what the search path found: a feature store, or a ``.pth`` file."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.store import ModalFeatures
from openke.data.store import TripleStore


def load_features(modality: str, path: Path, store: TripleStore) -> ModalFeatures:
    """Load a feature store or a ``.pth`` file that :func:`find_features` found."""
    if path.suffix == ".pth":
        # Whoever has the order of ids that a file was made in puts it beside the file.
        order = path.with_name("entity2id.txt")
        return ModalFeatures.from_pth(
            path,
            store.entity_names,
            modality=modality,
            entity_file=order if order.is_file() else None,
        )
    features = ModalFeatures.load(path, store.entity_names)
    if features.modality != modality:
        raise ValueError(
            f"{path}: holds {features.modality} features, but its folder is named {modality!r}; "
            f"name it {features.modality!r}"
        )
    return features
