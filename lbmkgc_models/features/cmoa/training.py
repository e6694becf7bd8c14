"""Training the heads: the number of epochs by a validation part, then all training entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import AdamW

from lbmkgc_models.features.cmoa.canonical import canonical_heads
from lbmkgc_models.features.cmoa.heads import MODALITIES, ContrastiveAlignment
from lbmkgc_models.features.cmoa.settings import AlignmentSettings

FEWEST = 8
"""Training entities below which nothing can be learnt."""


@dataclass(frozen=True)
class Fitted:
    """Trained heads, and how they came about."""

    heads: ContrastiveAlignment
    epochs: int
    """As many as did best on the validation part."""
    validation_loss: float


def fit(image: Tensor, text: Tensor, settings: AlignmentSettings) -> Fitted:
    """Train heads on entities that have both modalities.

    A part of the entities, drawn with the seed, chooses the number of epochs by its loss; then new
    heads are trained for so many epochs on all of them. The same arguments give the same heads on
    the same machine and thread count.

    Parameters
    ----------
    image, text
        Float["n width"] each, row i of the same entity.
    settings
        See :class:`.AlignmentSettings`.

    Raises
    ------
    ValueError
        Fewer than eight entities.
    """
    if len(image) < FEWEST:
        raise ValueError(
            f"{len(image)} training entities have image and text features, expected at least "
            f"{FEWEST}; give more entities both, or hold fewer out"
        )
    order = torch.randperm(len(image), generator=_generator(settings))
    # Two at least on either side: a loss over one pair is 0.
    count = min(max(2, round(settings.validation * len(image))), len(image) - 2)
    validation, training = order[:count], order[count:]
    epochs, loss = _choose_epochs(image, text, training, validation, settings)
    return Fitted(refit(image, text, settings, epochs), epochs, loss)


def refit(
    image: Tensor, text: Tensor, settings: AlignmentSettings, epochs: int
) -> ContrastiveAlignment:
    """Train new heads on all rows for a known number of epochs; 0 leaves them where they start."""
    heads, run = _start(image, text, settings)
    for _ in range(epochs):
        next(run)
    return heads


def untrained(
    image: Tensor, text: Tensor, settings: AlignmentSettings, seed: int
) -> ContrastiveAlignment:
    """Return heads with first weights of a seed, their principal components fitted to the rows."""
    # forked: whoever calls keeps the state of the global generator
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        heads = ContrastiveAlignment(image.shape[1], text.shape[1], settings)
    heads.fit_inputs(image, text)
    return heads


def _choose_epochs(
    image: Tensor,
    text: Tensor,
    training: Tensor,
    validation: Tensor,
    settings: AlignmentSettings,
) -> tuple[int, float]:
    """Return the number of epochs with the least loss on the validation part, and that loss."""
    heads, run = _start(image[training], text[training], settings)
    with torch.no_grad():
        rows = [
            heads.inputs["image"](image[validation]),
            heads.inputs["text"](text[validation]),
        ]
        best, best_epoch = heads.loss(*rows).item(), 0
    for epoch in range(1, settings.epochs + 1):
        next(run)
        with torch.no_grad():
            loss = heads.loss(*rows).item()
        if loss < best:
            best, best_epoch = loss, epoch
        elif epoch - best_epoch >= settings.patience:
            break
    return best_epoch, best


def _start(
    image: Tensor, text: Tensor, settings: AlignmentSettings
) -> tuple[ContrastiveAlignment, Iterator[None]]:
    """Return new heads and a run that trains them, an epoch a step."""
    heads = untrained(image, text, settings, settings.seed)
    with torch.no_grad():
        rows = heads.inputs["image"](image), heads.inputs["text"](text)
        if not settings.hidden:
            first = canonical_heads(*rows, settings.dim)
            for modality, weights in zip(MODALITIES, first, strict=True):
                heads.heads[modality].load_state_dict({"weight": weights})
    return heads, _epochs(heads, *rows, settings)


def _epochs(
    heads: ContrastiveAlignment, image: Tensor, text: Tensor, settings: AlignmentSettings
) -> Iterator[None]:
    """Train for an epoch at each step, without end."""
    optimiser = AdamW(
        [
            {"params": heads.heads.parameters(), "weight_decay": settings.weight_decay},
            {"params": [heads.log_scale], "weight_decay": 0.0},
        ],
        lr=settings.learning_rate,
    )
    generator = _generator(settings)
    batches = max(1, len(image) // settings.batch_size)
    while True:
        order = torch.randperm(len(image), generator=generator)
        for batch in order.tensor_split(batches):
            optimiser.zero_grad()
            loss = heads.loss(image[batch], text[batch], generator)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        yield


def _generator(settings: AlignmentSettings) -> torch.Generator:
    return torch.Generator().manual_seed(settings.seed)
