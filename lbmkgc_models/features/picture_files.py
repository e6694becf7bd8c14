"""Files in the place of pictures: read as they are encoded, many at once, bad ones passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from lbmkgc_models.features.encoders.protocol import Described, Encoder, Unfitted
from lbmkgc_models.features.read_image import BadPicture, read_image

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_SIDE = 2048
"""Larger pictures are made smaller as they are read, so that a batch of them fits the memory."""
CHUNK = 32
"""Pictures in memory at once while an encoder is fitted."""


def of_files(
    encoder: Encoder[Image] | Unfitted[Image], *, max_pixels: int
) -> Encoder[Path] | Unfitted[Path]:
    """Return an encoder of picture files; the row of a :class:`BadPicture` is NaN throughout.

    Reading runs on as many threads as PyTorch has.
    """

    def read(path: Path) -> Image | None:
        try:
            picture = read_image(path, max_pixels=max_pixels)
        except BadPicture:
            return None
        picture.thumbnail((MOST_SIDE, MOST_SIDE))
        return picture

    if isinstance(encoder, Unfitted):
        return _UnfittedOfFiles(encoder, read)
    return _EncoderOfFiles(encoder, read)


Read = Callable[[Path], "Image | None"]


class _OfFiles:
    def __init__(self, encoder: Described, read: Read) -> None:
        self.name, self.revision, self.settings = encoder.name, encoder.revision, encoder.settings
        self._read = read

    def _read_all(self, paths: Sequence[Path]) -> list[Image | None]:
        with ThreadPoolExecutor(torch.get_num_threads()) as pool:
            return list(pool.map(self._read, paths))


class _UnfittedOfFiles(_OfFiles):
    def __init__(self, encoder: Unfitted[Image], read: Read) -> None:
        super().__init__(encoder, read)
        self._encoder = encoder

    def fit(self, items: Iterable[Path]) -> Encoder[Path]:
        """Fit to the pictures that can be read."""
        return _EncoderOfFiles(self._encoder.fit(self._pictures(list(items))), self._read)

    def _pictures(self, paths: Sequence[Path]) -> Iterator[Image]:
        for first in range(0, len(paths), CHUNK):
            yield from filter(None, self._read_all(paths[first : first + CHUNK]))


class _EncoderOfFiles(_OfFiles):
    def __init__(self, encoder: Encoder[Image], read: Read) -> None:
        super().__init__(encoder, read)
        self._encoder, self.dim, self.limit = encoder, encoder.dim, None

    def lengths(self, items: Sequence[Path]) -> list[int]:
        """Return ones: each picture is scaled to one size."""
        return [1] * len(items)

    def encode(self, items: Sequence[Path]) -> Tensor:
        """Return Float["n dim"], NaN where a file is a bad picture."""
        pictures = self._read_all(items)
        good = [row for row, picture in enumerate(pictures) if picture is not None]
        rows = torch.full((len(items), self.dim), torch.nan)
        if good:
            rows[good] = self._encoder.encode([p for p in pictures if p is not None])
        return rows
