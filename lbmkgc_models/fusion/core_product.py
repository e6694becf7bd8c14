"""A core tensor that makes a matrix for each query, as TuckER's makes one for each relation.

Shapes: q queries, d reals of a vector, k of what the matrix is made of.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from openke.data.batch import Side
from openke.kernels.product import Linear
from openke.module.model.tucker import QueryNorm
from openke.module.scoring.recompute import recomputed

SIDES: tuple[Side, ...] = ("head", "tail")
BLOCK_BYTES = 2**26
"""Matrices held at a time."""


class SideNorm(nn.Module):
    """Batch normalisation with one scale and shift, and a mean and variance of each side.

    Queries about heads and about tails come in blocks of their own: one running mean of both would
    be another one than either is trained with.

    Parameters
    ----------
    dim
        Reals of a vector.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(dim)), nn.Parameter(torch.zeros(dim))
        self.sides = nn.ModuleDict({side: QueryNorm(dim, affine=False) for side in SIDES})

    def forward(self, rows: Tensor, side: Side) -> Tensor:
        """Return Float["q d"], normalised, of queries about one side."""
        found: Tensor = self.sides[side](rows) * self.weight + self.bias
        return found


class CoreProduct(nn.Module):
    """y = drop N(drop N(x) M), M = drop sum_k r_k W_k, with a matrix of its own for each query.

    N is batch normalisation, see :class:`SideNorm`. Blocks of matrices are made again on the way
    back, so that an array [q, d, d] is never there.

    Parameters
    ----------
    dim, dim_r
        d and k.
    input_dropout, matrix_dropout, output_dropout
        Shares of numbers that a training step forgets.

    References
    ----------
    Balazevic et al., TuckER: Tensor Factorization for Knowledge Graph Completion, EMNLP 2019.
    """

    def __init__(
        self,
        dim: int,
        dim_r: int,
        *,
        input_dropout: float,
        matrix_dropout: float,
        output_dropout: float,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.core = Linear(dim_r, dim * dim, bias=False)
        bound = (6 / (dim * dim + dim * dim_r)) ** 0.5  # Xavier's of an array [dim_r, dim, dim]
        nn.init.uniform_(self.core.weight, -bound, bound)
        self.input_norm, self.output_norm = SideNorm(dim), SideNorm(dim)
        self.input_dropout = nn.Dropout(input_dropout)
        self.matrix_dropout = nn.Dropout(matrix_dropout)
        self.output_dropout = nn.Dropout(output_dropout)

    def forward(self, rows: Tensor, of_matrix: Tensor, side: Side) -> Tensor:
        """Return y, Float["q d"], of x, Float["q d"], and r, Float["q k"]; all of one side."""
        known = self.input_dropout(self.input_norm(rows, side))
        size = max(1, BLOCK_BYTES // (self.dim**2 * rows.element_size()))
        blocks = zip(torch.split(known, size), torch.split(of_matrix, size), strict=True)
        moved = torch.cat(
            [
                recomputed(self, self._moved, *block) if len(rows) > size else self._moved(*block)
                for block in blocks
            ]
        )
        found: Tensor = self.output_dropout(self.output_norm(moved, side))
        return found

    def _moved(self, known: Tensor, of_matrix: Tensor) -> Tensor:
        matrices = self.matrix_dropout(self.core(of_matrix)).view(-1, self.dim, self.dim)
        return torch.bmm(known[:, None], matrices)[:, 0]
