"""Random features of the sizes that systems were published with: a step costs as much with them."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lbmkgc_models.feature_store.store import ModalFeatures

SIZES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "RSME": {"image": (1000, 1)},
    "OTKGE": {"image": (4096, 1), "text": (768, 1)},
    "IMF": {"image": (4096, 1), "text": (768, 1)},
    "VISTA": {"image": (768, 3), "text": (768, 1)},
    "MyGO": {"image": (32, 8, 8193), "text": (768, 4, 30522)},
}
"""By system and modality: reals of a row, rows of an entity and, of tokens, those of the codebook.
OTKGE's and VISTA's are such as others have; no entity lacks any."""


def published_features(system: str, entities: int) -> dict[str, ModalFeatures]:
    """Return random features of a system, by modality."""
    generator = torch.Generator().manual_seed(0)
    return {
        modality: _features(modality, entities, sizes, generator)
        for modality, sizes in SIZES[system].items()
    }


def _features(
    modality: str, entities: int, sizes: tuple[int, ...], generator: torch.Generator
) -> ModalFeatures:
    dim, parts, *book = sizes
    names = [str(entity) for entity in range(entities)]
    of_row = [name for name in names for _ in range(parts)]
    if not book:
        rows = torch.randn(len(of_row), dim, generator=generator)
        return ModalFeatures.from_rows(modality, of_row, rows, names, several=parts > 1)
    codes = torch.randint(book[0], (len(of_row),), generator=generator)
    vectors = torch.randn(book[0], dim, generator=generator)
    return ModalFeatures.from_codes(modality, of_row, codes, vectors, names)
