"""Modality attention: how much each modality of an entity counts.

Shapes: u distinct entities, m modalities, d reals of an entity.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

ATTENTION_FORMS = ("scalar", "elementwise", "mean")


class ModalityAttention(nn.Module):
    """Weighs an entity's modalities, e_mm = sum_m w_m e_m; a missing one has no weight.

    Parameters
    ----------
    dim
        Reals of an entity.
    form
        "scalar": w_m = softmax_m(V . tanh(e_m)), one weight for a modality, as the paper's code
        computes its published numbers; "elementwise": w_m = softmax_m(V * tanh(e_m)), one weight
        for each dimension, Eq. 9 read literally; "mean": equal weights, the ablation without CGuAF.

    References
    ----------
    LBMKGC Eq. 9 and 10.
    """

    def __init__(self, dim: int, form: str = "scalar") -> None:
        super().__init__()
        if form not in ATTENTION_FORMS:
            raise ValueError(f"attention is {form!r}, expected one of {', '.join(ATTENTION_FORMS)}")
        self.form = form
        if form != "mean":
            self.vector = nn.Parameter(torch.empty(dim).uniform_(-(dim**-0.5), dim**-0.5))

    def forward(self, modal: list[Tensor], present: Tensor) -> Tensor:
        """Return Float["u d"] from m Float["u d"], Bool["u m"]; zero where nothing is present."""
        weights = self.weights(modal, present).unbind(dim=1)  # m of [u 1] or [u d]
        mixed = weights[0] * modal[0]
        for weight, projected in zip(weights[1:], modal[1:], strict=True):
            mixed = torch.addcmul(mixed, weight, projected)
        return mixed

    def weights(self, modal: list[Tensor], present: Tensor) -> Tensor:
        """Return w_m, Float["u m 1"] or for "elementwise" Float["u m d"]."""
        if self.form == "mean":
            logits = modal[0].new_zeros(*present.shape, 1)
        elif self.form == "scalar":
            logits = torch.stack([(m.tanh() @ self.vector)[:, None] for m in modal], dim=1)
        else:
            logits = torch.stack([m.tanh() * self.vector for m in modal], dim=1)
        here = present[..., None]
        # The lowest finite number, not -inf: an entity without any modality must not become NaN.
        weights = logits.masked_fill(~here, torch.finfo(logits.dtype).min).softmax(dim=1)
        return weights * here
