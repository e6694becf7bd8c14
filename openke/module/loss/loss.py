"""What a loss is: a number from positive and negative scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from openke.runtime.values import Weight


class Loss(nn.Module, ABC):
    """A loss over the scores of positives and their negatives; higher scores are better.

    Parameters
    ----------
    adv_temperature
        beta of self-adversarial weighting (Sun et al., ICLR 2019): negative i of a positive weighs
        p_i = softmax_i(beta s_i), without gradient. None weighs all alike.
    """

    def __init__(self, adv_temperature: Weight | None = None) -> None:
        super().__init__()
        self.adv_temperature = adv_temperature

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on, as JSON values."""
        return {"loss": type(self).__name__, "adv_temperature": self.adv_temperature}

    @abstractmethod
    def forward(
        self,
        positive: Tensor,
        negative: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of Float["b"] or Float["b 1"] and Float["b k"].

        Higher scores are better, also where OpenKE hands distances to a loss. Negatives where
        ``mask`` do not count. ``weight``, Float["b"], is what each positive counts with its
        negatives, None: all the same; a batch has it where its loader weighs triples, and a loss
        without this parameter then fits it not.
        """

    def mean(self, terms: Tensor, weight: Tensor | None, mask: Tensor | None = None) -> Tensor:
        """Return the mean over positives of Float["b"], weighted where there are weights.

        With ``mask``, Bool["b k"], over those that have a negative which it leaves.
        """
        if mask is not None:
            some = (~mask).any(dim=1).to(terms.dtype)
            weight = some if weight is None else some * weight
        if weight is None:
            return terms.mean()
        return (terms.flatten() * weight).sum() / weight.sum().clamp(min=1e-30)

    def average(
        self, terms: Tensor, negative: Tensor, mask: Tensor | None, weight: Tensor | None = None
    ) -> Tensor:
        """Return the mean over positives of the weighted mean of ``terms`` (Float["b k"])."""
        if self.adv_temperature is None:
            if weight is not None:
                kept = torch.ones_like(terms) if mask is None else (~mask).to(terms.dtype)
                counted = weight[:, None] * kept
                return (terms * counted).sum() / counted.sum().clamp(min=1e-30)
            if mask is None:
                return terms.mean()
            kept = ~mask
            return (terms * kept).sum() / kept.sum().clamp(min=1)
        logits = self.adv_temperature * negative.detach()
        if mask is not None:
            # The lowest finite number, not -inf: a row that is masked whole must not become NaN.
            logits = logits.masked_fill(mask, torch.finfo(logits.dtype).min)
        weights = logits.softmax(dim=-1)
        if mask is not None:
            weights = weights.masked_fill(mask, 0.0)
        return self.mean((weights * terms).sum(dim=-1), weight, mask)
