"""Named rows of entities and questions, and what compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from openke import kernels
from openke.kernels import Kind

Rows = dict[str, Tensor]
"""Named tensors with a common first dimension."""


class Compare(Protocol):
    """Compares queries with candidates by a kernel; which with which is bound inside."""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return similarities; higher is closer (see :mod:`openke.kernels`)."""


def count(rows: Rows) -> int:
    """Return how many rows there are."""
    return next(iter(rows.values())).shape[0]


def take(rows: Rows, index: Tensor) -> Rows:
    """Return the rows at ``index`` of every named tensor."""
    return {name: tensor.index_select(0, index) for name, tensor in rows.items()}


def branch(rows: Rows, index: Tensor) -> tuple[Rows, Rows]:
    """Return the rows and :func:`take` of them; use both, and the gradient is cheap.

    The gradient of a few taken rows is added to that of all rows, instead of being filled up with
    zeros to the same size first.
    """
    pairs = {name: _Branch.apply(tensor, index) for name, tensor in rows.items()}
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
        return of_all.index_add(0, index, of_taken), None


def join(first: Rows, second: Rows) -> Rows:
    """Return two sets of rows one after the other."""
    return {name: torch.cat([tensor, second[name]]) for name, tensor in first.items()}


@dataclass(frozen=True)
class Pairwise:
    """The comparison of listed pairs: Float["p"]."""

    query_index: Tensor
    """Int["p"]"""
    candidate_index: Tensor
    """Int["p"]"""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return the similarity of each pair."""
        return kernels.compare_pairs(
            kind, query, table, self.query_index, self.candidate_index, modal=modal, gate=gate
        )
