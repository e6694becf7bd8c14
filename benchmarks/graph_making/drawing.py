"""Drawings as small PNG files."""

from __future__ import annotations

import io

from PIL import Image

COLOURS = 128
"""Of a palette."""


def render(svg: str, size: tuple[int, int]) -> bytes:
    """Return a drawing on white as a PNG with a palette.

    Raises
    ------
    ModuleNotFoundError
        ``resvg-py`` is not installed.
    """
    import resvg_py

    width, height = size
    png = resvg_py.svg_to_bytes(svg_string=svg, width=width, height=height, skip_system_fonts=True)
    return shrink(Image.open(io.BytesIO(bytes(png))))


def shrink(image: Image.Image) -> bytes:
    """Put an image on white, give it a palette and return its PNG."""
    image = image.convert("RGBA")
    opaque = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    palette = opaque.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    palette.save(stream, "PNG", optimize=True)
    return stream.getvalue()
