"""Named vectors of entities and queries."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

Encodings = dict[str, Tensor]
"""Named tensors with a common first dimension, one row for each entity or query."""


def presence(view: str) -> str:
    """Return the name under which stands whether entities have the modality of a view."""
    return f"{view} is there"


def count(encodings: Encodings) -> int:
    """Return how many rows there are."""
    return next(iter(encodings.values())).shape[0]


def take(encodings: Encodings, index: Tensor) -> Encodings:
    """Return the rows at ``index`` of every named tensor."""
    return {name: tensor.index_select(0, index) for name, tensor in encodings.items()}


def branch(encodings: Encodings, index: Tensor) -> tuple[Encodings, Encodings]:
    """Return the encodings and :func:`take` of them; use both, and the gradient is cheap.

    The gradient of a few taken rows is added to that of all rows, instead of being filled up with
    zeros to the same size first.
    """
    pairs = {name: _Branch.apply(tensor, index) for name, tensor in encodings.items()}
    return {name: pair[0] for name, pair in pairs.items()}, {
        name: pair[1] for name, pair in pairs.items()
    }


class _Branch(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(index)
        return rows.view_as(rows), rows.index_select(0, index)

    @staticmethod
    def backward(ctx: Any, of_all: Tensor, of_taken: Tensor) -> tuple[Tensor, None]:
        (index,) = ctx.saved_tensors
        # PyTorch's index_add copies with one thread what clone copies with all.
        return of_all.clone().index_add_(0, index, of_taken), None


def join(first: Encodings, second: Encodings) -> Encodings:
    """Return two sets of rows one after the other."""
    return {name: torch.cat([tensor, second[name]]) for name, tensor in first.items()}
