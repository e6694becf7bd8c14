"""Log-sigmoid loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import logsigmoid

from openke.module.loss.loss import Loss


class SigmoidLoss(Loss):
    """-1/2 [log sigma(s(positive)) + sum_i p_i log sigma(-s_i)].

    Parameters
    ----------
    adv_temperature
        See :class:`Loss`.

    References
    ----------
    Sun et al., RotatE, ICLR 2019, Eq. 5; LBMKGC Eq. 13 (which leaves out the 1/2).
    """

    def forward(
        self,
        positive: Tensor,
        negative: Tensor,
        mask: Tensor | None = None,
        weight: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of Float["b"], Float["b k"]."""
        negatives = self.average(logsigmoid(-negative), negative, mask, weight)
        return -(self.mean(logsigmoid(positive), weight) + negatives) / 2
