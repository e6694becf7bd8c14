"""Rows of an embedding table, with a gradient that a GPU adds up in one pass."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def lookup(table: nn.Embedding, ids: Tensor) -> Tensor:
    """Return the rows of a table, Float["u d"] of Int["u"].

    PyTorch's own gradient on a GPU sorts the ids first, for rows that are looked up very often.
    Entities of a batch are distinct, and so their gradients are added where they belong at once.
    Second derivatives are PyTorch's, on other devices.
    """
    plain = table.sparse or table.weight.device.type != "cuda" or torch.compiler.is_compiling()
    rows: Tensor = table(ids) if plain else _Lookup.apply(table.weight, ids)
    return rows


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, ids: Tensor) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.shape = weight.shape
        return weight.index_select(0, ids)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        (ids,) = ctx.saved_tensors
        return grad.new_zeros(ctx.shape).index_add_(0, ids, grad), None
