"""Named rows of entities and questions, and what compares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

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
