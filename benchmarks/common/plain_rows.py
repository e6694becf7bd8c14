"""Rows of a table, with the gradient that eager PyTorch has, also where it is compiled.

``torch.compile`` makes loops of that gradient which add number by number, each for itself: they are
up to half as slow again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding


def rows_at(table: Tensor, place: Tensor) -> Tensor:
    """Return Float["… d"] of Float["n d"] and Int["…"]."""
    if not table.requires_grad:
        return embedding(place, table)
    found: Tensor = _Rows.apply(table, place)
    return found


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, place: Tensor) -> Tensor:
        ctx.save_for_backward(place)
        ctx.rows = table.shape[0]
        return embedding(place, table)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (place,) = ctx.saved_tensors
        return _gradient(grad.contiguous(), place, ctx.rows), None


@torch.library.custom_op("plain::rows_gradient", mutates_args=())
def _gradient(grad: Tensor, place: Tensor, rows: int) -> Tensor:
    return torch.ops.aten.embedding_dense_backward(grad, place, rows, -1, False)


@_gradient.register_fake
def _shape(grad: Tensor, place: Tensor, rows: int) -> Tensor:
    return grad.new_empty(rows, grad.shape[-1])
