"""The colours of a drawing, of OpenMoji's palette."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

PALETTE = {
    "light blue": 0x92D3F5,
    "blue": 0x61B2E4,
    "dark blue": 0x1E50A0,
    "light red": 0xEA5A47,
    "red": 0xD22F27,
    "dark red": 0x781E32,
    "light green": 0xB1CC33,
    "green": 0x5C9E31,
    "dark green": 0x186648,
    "yellow": 0xFCEA2B,
    "dark yellow": 0xF1B31C,
    "light orange": 0xF4AA41,
    "orange": 0xE27022,
    "pink": 0xFFA7C0,
    "dark pink": 0xE67A94,
    "light purple": 0xB399C8,
    "purple": 0x8967AA,
    "brown": 0xA57939,
    "dark brown": 0x6A462F,
    "light grey": 0xD0CFCE,
    "grey": 0x9B9B9A,
    "dark grey": 0x3F3F3F,
}
"""Without black, which outlines are drawn in, and white, which is behind all."""
NEAR = 12
"""How far, of 255 in each of three directions, a pixel may be from a colour that it has."""
SHARE = 0.2
"""Of the coloured pixels, how many a colour has at least."""
LEAST = 40
"""Pixels that are coloured, at least; with fewer there is no colour to see."""


def colours_of(png: bytes) -> list[str]:
    """Return the colours that much of a picture has."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=np.int64)
    codes = np.array([*PALETTE.values()])
    palette = np.stack([codes >> 16, codes >> 8 & 0xFF, codes & 0xFF], axis=1)
    distance = np.abs(pixels.reshape(-1, 1, 3) - palette).max(axis=2)
    counts = np.bincount(
        distance.argmin(axis=1)[distance.min(axis=1) <= NEAR], minlength=len(palette)
    )
    if counts.sum() < LEAST:
        return []
    least = SHARE * counts.sum()
    return [name for name, count in zip(PALETTE, counts, strict=True) if count >= least]
