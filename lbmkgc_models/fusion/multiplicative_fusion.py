"""Multiplicative fusion: sums of products of what layers make of each modality.

Shapes: u distinct rows, d reals of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openke.kernels.product import Linear


class MultiplicativeFusion(nn.Module):
    """Joins vectors x_m as f = ReLU(sum_i prod_m ReLU(A_im x_m + b_im)).

    Parameters
    ----------
    dim
        Reals of each vector and of f.
    modalities
        How many vectors are joined.
    parts
        How many products are added.
    dropout
        Share of the numbers of each x_m that a layer forgets in a training step.

    References
    ----------
    Ben-younes et al., MUTAN: Multimodal Tucker Fusion for Visual Question Answering, ICCV 2017.
    """

    def __init__(self, dim: int, modalities: int, parts: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleList(Linear(dim, dim) for _ in range(modalities)) for _ in range(parts)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: Sequence[Tensor]) -> Tensor:
        """Return Float["u d"] of as many Float["u d"] as there are modalities."""
        products = []
        for layers in self.layers:
            assert isinstance(layers, nn.ModuleList)
            made = [
                layer(self.dropout(row)).relu() for layer, row in zip(layers, rows, strict=True)
            ]
            product = made[0]
            for other in made[1:]:
                product = product * other
            products.append(product)
        return torch.stack(products).sum(dim=0).relu()
