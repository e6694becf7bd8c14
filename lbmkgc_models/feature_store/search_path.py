"""Where feature stores lie: given by the user, beside the data set, in the user's cache."""

from __future__ import annotations

from pathlib import Path

from lbmkgc_models.feature_store.store_files import MANIFEST
from openke.datasets.search import cache_folder
from openke.runtime.files import is_there

TOKENS = "tokens"
"""Folder of stores of tokens, below one of stores of vectors."""
PTH_ENDINGS = {"image": "-visual.pth", "text": "-textual.pth"}


def default_features_dir(dataset: str) -> Path:
    """Return where features of a data set are written unless said otherwise: the user's cache.

    Not the data set's folder, which may be shared or read-only.
    """
    return cache_folder() / "features" / dataset


def search_path(
    dataset: str, directory: str | Path | None, features: str | Path | None
) -> list[Path]:
    """Return the folders to look for features in, in order.

    ``features`` (the option ``--features``), then ``features`` in the data set's folder, then the
    cache.
    """
    places = [Path(features)] if features is not None else []
    if directory is not None:
        places.append(Path(directory) / "features")
    return [*places, default_features_dir(dataset)]


def lies_in_cache(store: Path, dataset: str, features: str | Path | None) -> bool:
    """Whether a feature store is in the cache, and not in the folder given as ``features``."""
    cache = default_features_dir(dataset)
    if features is not None and Path(features).resolve() == cache.resolve():
        return False
    return store.parent == cache and store.is_dir()


def find_features(directory: str | Path, dataset: str | None = None) -> dict[str, Path]:
    """Return modality -> feature store or .pth file in a folder; empty where it has none.

    A store is a folder named for its modality; AdaMF-MAT's files are ``NAME-visual.pth`` (image)
    and ``NAME-textual.pth`` (text). A store goes before a file.

    Parameters
    ----------
    directory
        The folder to look in.
    dataset
        NAME of the ``.pth`` files; None takes any, if there is one.

    Raises
    ------
    ValueError
        Several ``.pth`` files of one modality and no ``dataset`` to choose by.
    """
    directory = Path(directory)
    if not directory.is_dir():
        return {}
    found = {}
    for modality, ending in PTH_ENDINGS.items():
        files = sorted(directory.glob(f"*{ending}"))
        if dataset is not None:
            # Two data sets may have equally many entities: a file of another name may fit and lie.
            files = [path for path in files if path.name == dataset + ending]
        if len(files) > 1:
            raise ValueError(
                f"{directory}: {', '.join(path.name for path in files)} are all {modality} "
                "features; name the data set they are wanted for"
            )
        if files:
            found[modality] = files[0]
    for folder in sorted(directory.iterdir()):
        if not folder.name.startswith(".") and is_there(folder / MANIFEST):
            found[folder.name] = folder
    return dict(sorted(found.items()))
