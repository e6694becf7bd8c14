"""Which of an entity's pictures is most like its others, by perceptual hashes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

from lbmkgc_models.features.read_image import read_image

SIDE = 16
"""Bits of a hash in each direction, as in RSME's code."""
SHRUNK = 4 * SIDE
"""Pixels in each direction of what is hashed."""


def most_typical(paths: Sequence[Path], *, max_pixels: int) -> int:
    """Return the place of the picture whose hash agrees with most bits of the others' hashes.

    Of several such pictures it is the first.

    References
    ----------
    The filter gate of RSME: Wang et al., ACM MM 2021.
    """
    if len(paths) < 3:  # two are as like each other
        return 0
    hashes = np.stack([perceptual_hash(read_image(path, max_pixels=max_pixels)) for path in paths])
    agreeing = (hashes[:, None] == hashes[None]).sum(axis=(1, 2))
    return int(agreeing.argmax())


def perceptual_hash(image: Image) -> NDArray[np.bool_]:
    """Return Bool["256"]: which low frequencies of a picture's greys are above their median."""
    small = image.convert("L").resize((SHRUNK, SHRUNK), Resampling.LANCZOS)
    waves = np.cos(np.pi / SHRUNK * np.outer(np.arange(SIDE), np.arange(SHRUNK) + 0.5))
    low = waves @ np.asarray(small, np.float64) @ waves.T
    above: NDArray[np.bool_] = low > np.median(low)
    return above.ravel()
