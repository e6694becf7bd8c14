"""Reading one picture, whatever somebody has put into the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openke.datasets.pictures import is_picture

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""The only decoders that a file reaches: the fewer, the less there is to attack."""
MAX_PIXELS = 50_000_000
"""150 MB as RGB; the largest pictures of common cameras have 48 million."""
CUT = "it begins as a picture does, but its header cannot be read"
MAX_ASPECT = 100
"""Encoders scale the shorter side to some 224 pixels: the longer one must stay bounded."""


class BadPicture(ValueError):  # noqa: N818, named for what the file is
    """A file that cannot serve as a picture: one line with the file and the reason.

    Attributes
    ----------
    kind
        "empty", "not a picture", "damaged", "too large", "too narrow" or "unreadable", for counts.
    reason
        The message without the file.
    """

    def __init__(self, path: Path, kind: str, reason: str) -> None:
        self.kind, self.reason = kind, " ".join(reason.split())
        super().__init__(f"{path}: {self.reason}")


def read_image(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> Image:
    """Return a picture in RGB, upright, transparency laid over white, the first of its frames.

    Parameters
    ----------
    path
        A JPEG, PNG, WebP, GIF, BMP or TIFF file; its content decides, not its name.
    max_pixels
        Width times height; larger ones are refused before any of it is decoded.

    Raises
    ------
    BadPicture
        Empty, of another format, truncated or damaged, too large, a hundred times as long as wide,
        or not to be read at all.
    """
    path = Path(path)
    try:
        image = _open(path, max_pixels)
        with image:
            return _rgb(_upright(image))
    except (BadPicture, MemoryError):
        raise
    except OSError as error:
        if error.errno is not None:
            raise BadPicture(path, "unreadable", f"cannot be read: {error.strerror}") from None
        raise _damaged(path, error) from None
    except Exception as error:  # decoders raise whatever a broken file drives them to
        raise _damaged(path, error) from None


def check_header(path: str | Path, *, max_pixels: int = MAX_PIXELS) -> None:
    """Raise the :class:`BadPicture` that a file's first bytes already give away."""
    path = Path(path)
    try:
        _open(path, max_pixels).close()
    except OSError as error:
        raise BadPicture(path, "unreadable", f"cannot be read: {error.strerror}") from None


def _open(path: Path, max_pixels: int) -> Image:
    """Read the header, and check what it says."""
    from PIL import Image

    if not path.stat().st_size:
        raise BadPicture(path, "empty", "an empty file, expected a picture")
    try:
        image = Image.open(path, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise BadPicture(path, "too large", str(error)) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        if is_picture(path):
            raise BadPicture(path, "damaged", f"truncated or damaged: {CUT}") from None
        expected = f"not a picture, expected one of {', '.join(FORMATS)}"
        raise BadPicture(path, "not a picture", expected) from None
    width, height = image.size
    if width * height > max_pixels:
        image.close()
        reason = f"{width} x {height} pixels, expected at most {max_pixels:,}; make it smaller"
        raise BadPicture(path, "too large", reason)
    if max(width, height) > MAX_ASPECT * min(width, height):
        image.close()
        reason = f"{width} x {height} pixels, expected sides of at most {MAX_ASPECT} to 1"
        raise BadPicture(path, "too narrow", reason)
    return image


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    image.load()  # the first frame
    try:
        return ImageOps.exif_transpose(image)
    except (ValueError, TypeError, SyntaxError, KeyError):
        return image  # the camera's notes are broken, not the picture


def _rgb(image: Image) -> Image:
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if "A" in image.mode or "a" in image.mode or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def _eight_bits(grey: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Scale deep grey values: 16-bit ones by their range, others from their least to their most."""
    values = grey.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("values that are not finite")
    low, high = values.min(), values.max()
    if grey.dtype.kind in "iu" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled = (values - low) * (255 / max(high - low, 1e-12))
    return np.asarray(np.rint(scaled), dtype=np.uint8)


def _damaged(path: Path, error: Exception) -> BadPicture:
    return BadPicture(path, "damaged", f"truncated or damaged: {error or type(error).__name__}")
