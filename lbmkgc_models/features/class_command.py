"""``openke features classes``: classes of a data set's entities into a feature store."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.search_path import default_features_dir
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.classes import build_class_features
from lbmkgc_models.features.describe import describe
from openke.datasets.search import folder_of
from openke.runtime.values import Count


def command(
    dataset: str,
    /,
    *,
    out: Path | None = None,
    dim: Count = 128,
    data: Path | None = None,
) -> int:
    """Encode the classes of a data set's entities into a feature store, a modality of its own.

    For example::

        openke features classes MKG-Y

    Classes are the texts of the kind "type" in texts.tsv. Training uses the store as it uses
    pictures and text.

    Parameters
    ----------
    dataset
        Folder of a data set, or the name of one, such as DB15K.
    out
        Folder of feature stores to write to; by default features/NAME in the user's cache, where
        training looks for them.
    dim
        The most reals of a vector.
    data
        Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download.
    """
    directory = folder_of(dataset, data)
    target = out if out is not None else default_features_dir(directory.resolve().name)
    store = build_class_features(directory, target, dim=dim)
    print(describe(ModalFeatures.load(store, read_names(directory)), store))
    return 0
