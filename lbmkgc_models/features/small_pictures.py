"""Small copies of pictures: to be looked at on a page, or to travel with a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from lbmkgc_models.features.read_image import MAX_PIXELS, BadPicture, read_image
from openke.data.store import TripleStore
from openke.datasets.graph_folder import PICTURES
from openke.datasets.pictures import find_pictures, folder_name
from openke.runtime.files import naming

SIZE = 256
"""Pixels of the longer side of those that travel."""
TINY = 64
"""Pixels of the longer side of those in a table."""
MOST = 3
"""Of an entity travel so many."""


def small_jpeg(path: Path, size: int = SIZE, *, max_pixels: int = MAX_PIXELS) -> bytes:
    """Return a small copy of a picture, as JPEG; none is made larger.

    Parameters
    ----------
    path
        See :func:`.read_image`.
    size
        Pixels of the longer side.
    max_pixels
        Larger pictures are refused.

    Raises
    ------
    BadPicture
        See :func:`.read_image`.
    """
    picture = read_image(path, max_pixels=max_pixels)
    picture.thumbnail((size, size))
    content = BytesIO()
    picture.save(content, "JPEG", quality=85)
    return content.getvalue()


def pictures_in(folder: Path | None, names: Sequence[str] | None) -> Mapping[str, Sequence[Path]]:
    """Return the pictures that lie in the folder of a data set, by entity; maybe none."""
    if folder is None or names is None or not (folder / PICTURES).is_dir():
        return {}
    return find_pictures([folder / PICTURES], names).files


def picture_of(store: TripleStore) -> Callable[[int], bytes]:
    """Return what returns a very small JPEG of an entity's first good picture, or b""."""
    names = store.entity_names
    pictures = pictures_in(store.directory, names) if find_spec("PIL") is not None else {}

    def small(entity: int) -> bytes:
        for path in pictures.get(names[entity], ()) if names is not None else ():
            try:
                return small_jpeg(path, TINY)
            except BadPicture:
                continue
        return b""

    return small


def write_small(folder: Path, pictures: Mapping[str, Iterable[Path]]) -> None:
    """Write small copies into the folder of a data set; what is no picture is left out.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written.
    """

    def write(entity: str) -> None:
        number = 0
        for path in pictures[entity]:
            if number == MOST:
                return
            try:
                content = small_jpeg(path)
            except BadPicture:
                continue
            number += 1
            file = folder / PICTURES / folder_name(entity) / f"{number:02}.jpg"
            with naming(file):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(write, pictures))
