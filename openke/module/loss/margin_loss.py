"""Margin ranking loss."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from openke.module.loss.loss import Loss
from openke.runtime.values import Weight


class MarginLoss(Loss):
    """max(0, margin - s(positive) + s(negative)), averaged over the pairs.

    Parameters
    ----------
    adv_temperature
        See :class:`Loss`.
    margin
        How much better than a negative a positive must be.

    References
    ----------
    Bordes et al., NIPS 2013, Eq. 1 (there a sum over the batch; OpenKE and this take the mean).
    """

    def __init__(self, adv_temperature: Weight | None = None, margin: float = 6.0) -> None:
        super().__init__(adv_temperature)
        self.margin = margin

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, the margin included."""
        return {**super().identity(), "margin": self.margin}

    def forward(
        self,
        positive: Tensor,
        negative: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of Float["b"], Float["b k"]."""
        terms = (self.margin - positive.reshape(len(negative), 1) + negative).relu()
        return self.average(terms, negative, mask, weight)
