"""Tokens of pictures: the codes of their patches, by a codebook that k-means finds in them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.labels import read_names
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.encoders.protocol import Encoder, PatchEncoder, Unfitted, fitted
from lbmkgc_models.features.encoders.registry import image_encoder
from lbmkgc_models.features.optional_packages import extra
from lbmkgc_models.features.picture_choice import MAX_PICTURES, Picture, choose_pictures
from lbmkgc_models.features.read_image import MAX_PIXELS, BadPicture, read_image
from openke.datasets.pictures import find_pictures, folder_name
from openke.runtime.device import choose_device
from openke.runtime.progress import counting

if TYPE_CHECKING:
    from PIL.Image import Image

GRID = 4
"""Cells of a side that a picture is cut into for an encoder that sees it as a whole."""
MOST_PATCHES = 2**19
"""Patches that k-means is fitted to, the same number of each picture."""
SIDE = 512
"""Pixels of a side to which larger pictures are made smaller."""


def build_picture_tokens(
    dataset_dir: str | Path,
    out_dir: str | Path,
    pictures: Sequence[str | Path],
    *,
    encoder: str | Encoder[Image] | Unfitted[Image] = "efficientnet-lite0",
    codes: int = 1024,
    tokens: int = 8,
    seed: int = 0,
    max_pictures: int = MAX_PICTURES,
    batch_size: int = 32,
    device: str = "cpu",
    progress: bool = True,
) -> Path:
    """Write the store ``OUT_DIR/image``: of each entity the codes that most of its patches have.

    Patches are those of the encoder (places of a feature map, hidden states of a transformer),
    scaled to length one; of one that has none a picture is cut into 4 x 4 cells, which are encoded
    each. The codebook is found by mini-batch k-means, the same one for the same seed.

    Parameters
    ----------
    dataset_dir, out_dir, pictures, encoder, max_pictures, batch_size, device, progress
        See :func:`.build_image_features`.
    codes
        Rows of the codebook.
    tokens
        The most codes of an entity; all its pictures count together.
    seed
        Of k-means.

    Raises
    ------
    ValueError
        No usable picture, fewer patches than codes, a bad number.
    OSError
        A folder or the encoder is not there, or the store cannot be written.
    """
    check_counts(codes=codes, tokens=tokens, max_pictures=max_pictures, batch_size=batch_size)
    names, folders = read_names(dataset_dir), [Path(folder) for folder in pictures]
    chosen = choose_pictures(
        find_pictures(folders, names), max_pictures=max_pictures, max_pixels=MAX_PIXELS
    )
    if isinstance(encoder, str):
        encoder = image_encoder(encoder, device=choose_device(device))
    used = [picture for picture in chosen.used if _read(picture) is not None]
    if not used:
        where = ", ".join(map(str, folders)) or "no folder given"
        raise ValueError(
            f"{where}: no usable picture of any of the {len(names)} entities; expected folders or "
            f"files named for them, such as {folder_name(names[0])}/1.jpg"
        )
    ready = fitted(encoder, (image for p in used if (image := _read(p)) is not None))
    share = max(1, MOST_PATCHES // len(used))
    with counting("encoding pictures", len(used), "pictures", show=progress) as count:
        sample = [_some(rows, share) for rows in _patches(ready, used, batch_size, count)]
    book = _codebook(torch.cat([rows.flatten(0, 1) for rows in sample]), codes, seed)
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    # Where every patch was kept there is nothing to encode again.
    whole = all(rows.shape[1] <= share for rows in sample) and sample[0].shape[1] < share
    again = iter(sample) if whole else _patches(ready, used, batch_size)
    at = 0
    for rows in again:
        nearest = _nearest(rows.flatten(0, 1), book).view(len(rows), -1)
        for picture, of_picture in zip(used[at:], nearest.tolist(), strict=False):
            found[picture.entity].update(of_picture)
        at += len(rows)
    return store_of(
        "image",
        most_frequent(found, tokens),
        book,
        names,
        out_dir,
        dataset=Path(dataset_dir).resolve().name,
        encoder=f"{ready.name} (patches)",
        revision=ready.revision,
        settings={**ready.settings, "codes": codes, "tokens": tokens, "seed": seed},
        notes={"pictures used": len(used), "pictures skipped": len(chosen.used) - len(used)},
    )


def most_frequent(found: Mapping[str, Counter[int]], tokens: int) -> list[tuple[str, int]]:
    """Return names and codes, the most frequent codes of each name; the earlier of like ones."""
    return [(name, code) for name, c in found.items() for code, _ in c.most_common(tokens)]


def store_of(
    modality: str,
    rows: Sequence[tuple[str, int]],
    book: Tensor,
    names: Sequence[str],
    out_dir: str | Path,
    **about: Any,
) -> Path:
    """Write a store of names and codes, the codebook in float16, and return its folder."""
    codes = torch.tensor([code for _, code in rows], dtype=torch.long)
    features = ModalFeatures.from_codes(
        modality, [name for name, _ in rows], codes, book, names, **about
    )
    return features.save(Path(out_dir) / modality, dtype="float16")


def check_counts(**counts: int) -> None:
    """Raise ``ValueError`` where a number is below 1."""
    for name, number in counts.items():
        if number < 1:
            raise ValueError(f"{name} is {number}, expected at least 1")


def _read(picture: Picture) -> Image | None:
    try:
        image = read_image(picture.path, max_pixels=MAX_PIXELS)
    except BadPicture:
        return None
    image.thumbnail((SIDE, SIDE))
    return image


def _patches(
    encoder: Encoder[Image],
    pictures: Sequence[Picture],
    size: int,
    count: Callable[[int], object] = lambda done: None,
) -> Iterator[Tensor]:
    """Yield Float["n patches f"] of some pictures after the other, of length one each."""
    for first in range(0, len(pictures), size):
        images = [image for p in pictures[first : first + size] if (image := _read(p)) is not None]
        if isinstance(encoder, PatchEncoder):
            rows = encoder.patches(images)
        else:
            cells = [cell for image in images for cell in _cells(image)]
            rows = encoder.encode(cells).view(len(images), GRID * GRID, -1)
        count(len(images))
        yield normalize(rows, dim=2)


def _cells(image: Image) -> Iterator[Image]:
    width, height = (max(GRID, side) for side in image.size)
    image = image.resize((width, height))
    for row in range(GRID):
        for column in range(GRID):
            left, upper = column * width // GRID, row * height // GRID
            right, lower = (column + 1) * width // GRID, (row + 1) * height // GRID
            yield image.crop((left, upper, right, lower))


def _some(rows: Tensor, most: int) -> Tensor:
    """Return up to so many patches of each picture, at even distances."""
    count = min(rows.shape[1], most)
    return rows[:, torch.linspace(0, rows.shape[1] - 1, count).long()]


def _codebook(rows: Tensor, codes: int, seed: int) -> Tensor:
    """Return Float["codes f"], the centres that k-means finds."""
    distinct = len(np.unique(rows.numpy(), axis=0))
    if distinct < codes:
        raise ValueError(
            f"codes is {codes}, but the pictures have {distinct} distinct patches; ask for fewer"
        )
    means = extra("sklearn.cluster").MiniBatchKMeans(
        codes, random_state=seed, batch_size=max(1024, 3 * codes), n_init=1
    )
    means.fit(rows.numpy())
    return torch.from_numpy(means.cluster_centers_.astype(np.float32))


def _nearest(rows: Tensor, book: Tensor) -> Tensor:
    """Return Int["n"], the nearest code of each row."""
    return (2 * rows @ book.T - book.square().sum(dim=1)).argmax(dim=1)
