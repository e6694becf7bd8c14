"""Feature tables that are not trained, and rows of any table.

Rows have the gradient that eager PyTorch has, also where it is compiled: ``torch.compile`` would
make loops of it that add number by number, each for itself, and are up to half as slow again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding


def frozen(features: list[Tensor]) -> nn.ParameterList:
    """Return feature tables, Float["e f"] each, that are not trained."""
    return nn.ParameterList([nn.Parameter(rows, requires_grad=False) for rows in features])


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
