"""Image and text rows of the same entities in one space: cosines, neighbours, retrieval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.store import Features
from lbmkgc_models.features.cmoa.alignment_files import SEED, SHARE
from lbmkgc_models.features.cmoa.heads import MODALITIES
from lbmkgc_models.features.cmoa.retrieval import BothWays, retrieval
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.cmoa.split import held_out
from lbmkgc_models.features.cmoa.training import untrained


@dataclass(frozen=True)
class Space:
    """Rows of length 1 in a space that both modalities share.

    Attributes
    ----------
    title
        Which space.
    image, text
        Float["n dim"], of the entities compared.
    """

    title: str
    image: Tensor
    text: Tensor

    @property
    def figures(self) -> BothWays:
        """Retrieval among the entities compared."""
        return retrieval(self.image, self.text)

    def matrix(self, entities: Tensor) -> NDArray[np.float32]:
        """Return Float["k k"], the cosine of picture i and text j of some of the entities."""
        cosines: NDArray[np.float32] = (self.image[entities] @ self.text[entities].T).numpy()
        return cosines


def compared(features: Features) -> tuple[Tensor, bool]:
    """Return the ids of the entities to compare, and whether no head saw them in training.

    These are the entities with both modalities that the alignment held out, where the manifests
    say which; else all with both.
    """
    both = _both(features)
    notes = features["text"].manifest.notes
    seed, share = notes.get(SEED), notes.get(SHARE)
    if not (isinstance(seed, int) and isinstance(share, float)):
        return both.nonzero().flatten(), False
    held = both & held_out(features["text"].names, share, seed)
    seen = bool(notes.get("final heads saw the held-out entities"))
    return held.nonzero().flatten(), not seen


def shared_space(features: Features, entities: Tensor, title: str) -> Space | None:
    """Return the space of features that have one width; None where widths differ."""
    image, text = (features[modality].values[entities] for modality in MODALITIES)
    if image.shape[1] != text.shape[1]:
        return None
    return Space(title, normalize(image, dim=1), normalize(text, dim=1))


def space_before(features: Features, entities: Tensor) -> Space | None:
    """Return the space of features as they are or, where widths differ, of untrained heads.

    None where there are no other entities to take the heads' principal components from.
    """
    as_they_are = shared_space(features, entities, "before alignment")
    if as_they_are is not None:
        return as_they_are
    others = _both(features)
    others[entities] = False
    if int(others.sum()) < 2:
        return None
    image, text = (features[modality].values[others] for modality in MODALITIES)
    heads = untrained(image, text, AlignmentSettings(), 0)
    with torch.no_grad():
        image, text = (heads(features[name].values[entities], name) for name in MODALITIES)
    return Space("before alignment, by untrained heads", image, text)


def nearest(queries: Tensor, answers: Tensor, query: int, count: int) -> tuple[list[int], int]:
    """Return the answers nearest to a query, best first, and the place of its own (1 is best)."""
    order = (answers @ queries[query]).argsort(descending=True, stable=True)
    place = int((order == query).nonzero().item()) + 1
    return order[:count].tolist(), place


def in_order(space: Space, entities: Tensor) -> Tensor:
    """Return entities so that like texts stand together: by their first principal component."""
    rows = space.text[entities].double()
    _, _, directions = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)
    return entities[(rows @ directions[0]).argsort(stable=True)]


def _both(features: Features) -> Tensor:
    """Return Bool["entities"], those with rows of both modalities that are not all zeros."""
    there = [
        features[modality].present & features[modality].values.any(dim=1) for modality in MODALITIES
    ]
    return there[0] & there[1]
