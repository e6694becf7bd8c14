"""Softmax cross entropy over a positive and its sampled negatives."""

from __future__ import annotations

import torch
from torch import Tensor

from openke.module.loss.loss import Loss


class SampledSoftmaxLoss(Loss):
    """-log (e^{s(positive)} / (e^{s(positive)} + sum_i e^{s_i})), the mean over positives.

    With negatives that the batch shares (``TrainDataLoader(…, negatives="shared")``) it costs one
    product of b queries with k candidates. Negatives are drawn evenly, so no correction for how
    often each is drawn is needed. The softmax itself weighs hard negatives most: there is no
    ``adv_temperature``.

    References
    ----------
    Jean et al., On Using Very Large Target Vocabulary for Neural Machine Translation, ACL 2015;
    Lerer et al., PyTorch-BigGraph, SysML 2019, for negatives shared by a batch.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(
        self,
        positive: Tensor,
        negative: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of Float["b"], Float["b k"]."""
        if mask is not None:
            negative = negative.masked_fill(mask, -torch.inf)
        positive = positive.reshape(len(negative), 1)
        everything = torch.cat([positive, negative], dim=1)
        return self.mean(everything.logsumexp(dim=1, keepdim=True) - positive, weight, mask)
