"""Pictures without weights: which colours there are and where, compressed to some hundred reals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.options import OneSize, check_dim, finish
from lbmkgc_models.features.optional_packages import extra

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 96
"""Pixels of a side that are looked at."""
BINS = (12, 4, 4)
"""Of hue, saturation and brightness."""
GRID = 6
"""Cells of a side whose mean colours are taken."""


class ColourHistogram:
    """Colours and their places, and a PCA, fitted to the pictures of a data set.

    A joint histogram of hue, saturation and brightness (12 x 4 x 4, square roots of shares, so that
    distances are Hellinger's) and the mean red, green and blue of each cell of a 6 x 6 grid, 300
    reals in all, projected on their principal axes.

    Parameters
    ----------
    dim
        Reals of a vector; fewer where the pictures do not have as many axes.
    normalised
        Scale vectors to length one.

    Raises
    ------
    ValueError
        ``dim`` below 1.

    References
    ----------
    Swain and Ballard, Color Indexing, IJCV 1991.
    """

    name, revision = "colour-histogram", ""

    def __init__(self, *, dim: int = 128, normalised: bool = True) -> None:
        check_dim(dim)
        self.settings: Mapping[str, Value] = {"dim": dim, "normalised": normalised}
        self._dim = dim

    def fit(self, items: Iterable[Image]) -> FittedColourHistogram:
        """Learn the principal axes; see Unfitted.

        Raises
        ------
        ValueError
            No two pictures that differ.
        """
        rows = [colours(item) for item in items]
        if len(rows) < 2 or all(np.array_equal(row, rows[0]) for row in rows):
            raise ValueError(
                f"colour-histogram: {len(rows)} pictures and no two that differ, expected some to "
                "learn from; take an encoder with weights"
            )
        matrix = np.stack(rows)  # [n 300]
        # n pictures span n - 1 axes around their mean.
        dim = min(self._dim, len(matrix) - 1, matrix.shape[1])
        axes = extra("sklearn.decomposition").PCA(dim, svd_solver="full")
        axes.fit(matrix)
        return FittedColourHistogram(axes.mean_, axes.components_, self.settings)


class FittedColourHistogram(OneSize):
    """What :meth:`ColourHistogram.fit` makes, an encoder."""

    name = "colour-histogram"

    def __init__(
        self,
        mean: np.ndarray[Any, Any],
        axes: np.ndarray[Any, Any],
        settings: Mapping[str, Value],
    ) -> None:
        self._mean, self._axes, self.settings = mean, axes, settings
        self.dim: int = len(axes)
        digest = hashlib.sha256(mean.tobytes() + np.ascontiguousarray(axes).tobytes())
        self.revision = f"sha256:{digest.hexdigest()}"

    def encode(self, items: Sequence[Image]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        if not items:
            return torch.zeros(0, self.dim)
        rows = np.stack([colours(item) for item in items])
        return finish(torch.from_numpy((rows - self._mean) @ self._axes.T), self.settings)


def colours(picture: Image) -> np.ndarray[Any, Any]:
    """Return Float["300"], float64: the histogram and the grid of a picture, of like weight."""
    from PIL import Image

    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    hsv = np.asarray(small.convert("HSV"), dtype=np.int64).reshape(-1, 3)
    hue, saturation, brightness = (hsv * BINS // 256).T
    cells = (hue * BINS[1] + saturation) * BINS[2] + brightness
    histogram = np.bincount(cells, minlength=int(np.prod(BINS))) / len(cells)
    grid = np.asarray(picture.resize((GRID, GRID), Image.Resampling.BOX), dtype=np.float64)
    # Both parts have length one at most: neither drowns the other.
    return np.concatenate([np.sqrt(histogram), grid.ravel() / 255 / np.sqrt(grid.size)])
