"""What an alignment has to beat: no training at all, and the best linear map by least squares."""

from __future__ import annotations

import torch
from torch import Tensor

from lbmkgc_models.features.cmoa.heads import ContrastiveAlignment
from lbmkgc_models.features.cmoa.retrieval import BothWays, mean_of, retrieval
from lbmkgc_models.features.cmoa.settings import AlignmentSettings
from lbmkgc_models.features.cmoa.training import untrained
from lbmkgc_models.features.optional_packages import extra

DRAWS = 5
"""Untrained heads differ by luck: the mean over so many is reported."""

STRENGTHS = tuple(10.0**power for power in range(-3, 6))
"""Ridge penalties that leave-one-out chooses from."""


def by_heads(heads: ContrastiveAlignment, image: Tensor, text: Tensor) -> BothWays:
    """Return the retrieval of features that go through heads."""
    with torch.no_grad():
        return retrieval(heads(image, "image"), heads(text, "text"))


def by_untrained_heads(
    training: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor], settings: AlignmentSettings
) -> BothWays:
    """Return the mean retrieval of heads with first weights of several seeds."""
    drawn = [
        untrained(*training, settings, seed) for seed in range(settings.seed, settings.seed + DRAWS)
    ]
    return mean_of([by_heads(heads, *held_out) for heads in drawn])


def by_ridge(training: tuple[Tensor, Tensor], held_out: tuple[Tensor, Tensor]) -> BothWays:
    """Return the retrieval of a ridge regression from image to text features.

    Its penalty is chosen by leave-one-out on the training entities; cosines are taken about the
    mean text, or all predictions would look like it.
    """
    image, text = training
    mean = text.mean(dim=0)
    ridge = extra("sklearn.linear_model").RidgeCV(alphas=STRENGTHS)
    ridge.fit(image.numpy(), text.numpy())
    predicted = torch.as_tensor(ridge.predict(held_out[0].numpy()))
    return retrieval(predicted - mean, held_out[1] - mean)
