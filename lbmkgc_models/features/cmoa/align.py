"""Aligning the image and text features of a graph, and how well it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.cmoa import baselines
from lbmkgc_models.features.cmoa.heads import ContrastiveAlignment
from lbmkgc_models.features.cmoa.retrieval import BothWays, chance, retrieval
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.cmoa.split import held_out
from lbmkgc_models.features.cmoa.training import fit, refit

FEWEST = 2
"""Held-out entities below which retrieval says nothing."""

CHANCE, UNTOUCHED, UNTRAINED = "chance", "as they are", "untrained heads"
RIDGE, CANONICAL, ALIGNED = "ridge regression", "canonical correlations", "CMoA"


@dataclass(frozen=True)
class Alignment:
    """Aligned features of all entities, and the retrieval on the held-out ones.

    Attributes
    ----------
    image, text
        Float["entities dim"], rows of length 1; zeros where the modality is missing.
    figures
        Retrieval by way of alignment, the weakest first, ours last.
    training, held_out
        Bool["entities"], those with both modalities that trained the heads, or only the figures.
    heads
        None where features were taken as they are.
    epochs
        Of the training; 0 without.
    """

    image: Tensor
    text: Tensor
    figures: Mapping[str, BothWays]
    training: Tensor
    held_out: Tensor
    heads: ContrastiveAlignment | None = None
    epochs: int = 0

    @property
    def before(self) -> BothWays:
        """The retrieval without training."""
        return self.figures[UNTOUCHED if UNTOUCHED in self.figures else UNTRAINED]

    @property
    def after(self) -> BothWays:
        """The retrieval of the rows that are written."""
        return self.figures[ALIGNED if self.heads is not None else UNTOUCHED]


def align(
    image: ModalFeatures, text: ModalFeatures, settings: AlignmentSettings | None = None
) -> Alignment:
    """Train heads on entities with both modalities, and bring all rows into their space.

    A share of these entities, by a hash of the name, is held out: retrieval among them is measured
    with untrained heads and, where both widths are equal, with the features as they are; with a
    ridge regression; with the canonical correlations that linear heads start from; and with the
    trained heads. With ``settings.refit`` the rows come from heads
    trained on the held-out entities as well; the figures are still of those that never saw them.

    Parameters
    ----------
    image, text
        Features of the same entities in the same order.
    settings
        See :class:`.AlignmentSettings`.

    Raises
    ------
    ValueError
        Features of other entities or of several rows each, too few entities with both.
    """
    settings = settings or AlignmentSettings()
    for features in (image, text):
        features.require_one_row("alignment")
    training, held = _split(image, text, settings)
    train_rows = image.values[training], text.values[training]
    held_rows = image.values[held], text.values[held]
    fitted = fit(*train_rows, settings)
    figures = {CHANCE: chance(int(held.sum()))}
    if image.dim == text.dim:
        figures[UNTOUCHED] = retrieval(*held_rows)
    figures[UNTRAINED] = baselines.by_untrained_heads(train_rows, held_rows, settings)
    figures[RIDGE] = baselines.by_ridge(train_rows, held_rows)
    if not settings.hidden:
        start = refit(*train_rows, settings, 0)
        figures[CANONICAL] = baselines.by_heads(start, *held_rows)
    figures[ALIGNED] = baselines.by_heads(fitted.heads, *held_rows)
    heads = fitted.heads
    if settings.refit:
        both = training | held
        heads = refit(image.values[both], text.values[both], settings, fitted.epochs)
    return Alignment(
        _projected(heads, image),
        _projected(heads, text),
        figures,
        training,
        held,
        heads,
        fitted.epochs,
    )


def keep(
    image: ModalFeatures, text: ModalFeatures, settings: AlignmentSettings | None = None
) -> Alignment:
    """Take features that share a space already, such as CLIP's, scaled to length 1.

    Raises
    ------
    ValueError
        Features of other entities or of different widths, too few entities with both.
    """
    settings = settings or AlignmentSettings()
    if image.dim != text.dim:
        raise ValueError(
            f"image features have {image.dim} reals and text features {text.dim}: they share no "
            "space that could be kept; align them with mode 'heads'"
        )
    training, held = _split(image, text, settings)
    figures = {
        CHANCE: chance(int(held.sum())),
        UNTOUCHED: retrieval(image.values[held], text.values[held]),
    }
    unit = normalize(image.values, dim=1), normalize(text.values, dim=1)
    return Alignment(*unit, figures, training, held)


def _split(
    image: ModalFeatures, text: ModalFeatures, settings: AlignmentSettings
) -> tuple[Tensor, Tensor]:
    """Return training and held-out entities, Bool["entities"] each, of those with both."""
    if image.names != text.names:
        raise ValueError(
            f"image features are of {len(image.names)} entities and text features of "
            f"{len(text.names)}, or of others in their place; load both with the same names"
        )
    # A row of zeros says nothing, whatever it is marked as.
    rows = image.values.any(dim=1) & text.values.any(dim=1)
    both = image.present & text.present & rows
    held = both & held_out(image.names, settings.held_out, settings.seed)
    if int(held.sum()) < FEWEST:
        raise ValueError(
            f"{int(held.sum())} of {int(both.sum())} entities with image and text features are "
            f"held out, expected at least {FEWEST}; give more entities both, or hold a larger "
            "share out"
        )
    return both & ~held, held


def _projected(heads: ContrastiveAlignment, features: ModalFeatures) -> Tensor:
    """Return Float["entities dim"], zeros where the modality is missing."""
    with torch.no_grad():
        rows: Tensor = heads(features.values, features.modality)
    return rows * features.present.unsqueeze(1)
