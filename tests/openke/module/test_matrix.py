"""Vectors times the matrix of each: by group on the CPU, by tile elsewhere."""

import pytest
import torch

from openke.module.interaction import matrix

CASES = {
    "each its own": (torch.arange(7), 7),
    "some unused": (torch.tensor([4, 1, 1, 9, 4, 1]), 12),
    "one": (torch.zeros(100, dtype=torch.int64), 1),
    "full tiles": (torch.arange(4 * matrix.TILE) % 4, 4),
    "many": (torch.randint(5, (300,), generator=torch.Generator().manual_seed(0)), 6),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("way", [matrix._by_group, matrix._by_tile])
def test_products_and_gradients(case, way):
    index, m = CASES[case]
    torch.manual_seed(0)
    vectors = torch.randn(len(index), 3, dtype=torch.float64, requires_grad=True)
    matrices = torch.randn(m, 3, 2, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(len(index), 2, dtype=torch.float64)
    found = way(vectors, matrices, index)
    expected = torch.einsum("pd,pdk->pk", vectors, matrices[index])
    torch.testing.assert_close(found, expected)
    for a, b in zip(
        torch.autograd.grad((found * weights).sum(), (vectors, matrices)),
        torch.autograd.grad((expected * weights).sum(), (vectors, matrices)),
        strict=True,
    ):
        torch.testing.assert_close(a, b)
