"""Image and text features that say the same thing in two languages, with noise of their own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lbmkgc_models.feature_store.store import ModalFeatures

NAMES = tuple(f"e{i}" for i in range(160))
WIDTHS = {"image": 24, "text": 16}


def rows(count: int = len(NAMES), *, noise: float = 0.3, shared: int = 6) -> dict[str, Tensor]:
    """Return Float["count width"] for each modality."""
    generator = torch.Generator().manual_seed(7)
    meaning = torch.randn(count, shared, generator=generator)
    made = {}
    for modality, width in WIDTHS.items():
        mixing = torch.randn(shared, width, generator=generator)
        made[modality] = meaning @ mixing + noise * torch.randn(count, width, generator=generator)
    return made


def features(
    without: dict[str, Sequence[str]] | None = None, **about: object
) -> dict[str, ModalFeatures]:
    """Return features of all names, except those named in ``without``."""
    return {
        modality: ModalFeatures.from_rows(
            modality,
            kept := [name for name in NAMES if name not in (without or {}).get(modality, ())],
            values[[NAMES.index(name) for name in kept]],
            NAMES,
            **{"encoder": f"{modality} encoder", **about},
        )
        for modality, values in rows().items()
    }
