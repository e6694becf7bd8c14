"""Classes without weights: which of them an entity has, compressed to a few hundred reals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.options import check_dim, finish
from lbmkgc_models.features.optional_packages import extra


class ClassSets:
    """A one for each class of an item such as "film; movie", and a truncated SVD of the data set's.

    Where a data set has no more classes than ``dim``, the ones themselves are the vector.

    Parameters
    ----------
    dim
        Reals of a vector; fewer where there are not as many classes or items.
    normalised
        Scale vectors to length one.

    Raises
    ------
    ValueError
        ``dim`` below 1.
    """

    name = "class-sets"
    revision = ""

    def __init__(self, *, dim: int = 128, normalised: bool = True) -> None:
        check_dim(dim)
        self.settings: Mapping[str, Value] = {"dim": dim, "normalised": normalised}
        self._dim = dim

    def fit(self, items: Iterable[str]) -> FittedClassSets:
        """Learn which classes there are, and their directions; see Unfitted.

        Raises
        ------
        ValueError
            No class at all.
        """
        sets = [classes_of(item) for item in items]
        classes = sorted(set().union(*sets))
        if not classes:
            raise ValueError(f"{self.name}: no class in {len(sets)} texts, so nothing to learn")
        directions = None
        if min(len(classes), len(sets)) > self._dim:
            svd = extra("sklearn.decomposition").TruncatedSVD(self._dim, random_state=0)
            svd.fit(_ones(sets, classes))
            directions = svd.components_
        return FittedClassSets(classes, directions, self.settings)


class FittedClassSets:
    """What :meth:`ClassSets.fit` makes: an :class:`.Encoder`."""

    name = ClassSets.name
    limit = None

    def __init__(
        self,
        classes: Sequence[str],
        directions: np.ndarray[tuple[int, int], np.dtype[np.float64]] | None,
        settings: Mapping[str, Value],
    ) -> None:
        self._classes, self._directions, self.settings = classes, directions, settings
        self.dim: int = len(classes) if directions is None else len(directions)
        digest = hashlib.sha256("\n".join(classes).encode())
        if directions is not None:
            digest.update(np.ascontiguousarray(directions).tobytes())
        self.revision = f"sha256:{digest.hexdigest()}"

    def lengths(self, items: Sequence[str]) -> list[int]:
        """Return the number of classes."""
        return [len(classes_of(item)) for item in items]

    def encode(self, items: Sequence[str]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU; zeros where no class is known."""
        vectors = _ones([classes_of(item) for item in items], self._classes)
        if self._directions is not None:
            vectors = vectors @ self._directions.T
        return finish(torch.from_numpy(vectors), self.settings)


def classes_of(item: str) -> set[str]:
    """Return the classes of an item: what semicolons divide."""
    return {name.strip().casefold() for name in item.split(";")} - {""}


def _ones(
    sets: Sequence[set[str]], classes: Sequence[str]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    place = {name: column for column, name in enumerate(classes)}
    ones = np.zeros((len(sets), len(classes)))
    for row, found in enumerate(sets):
        ones[row, [place[name] for name in found if name in place]] = 1
    return ones
