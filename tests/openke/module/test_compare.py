"""Sums of similarities of several vectors of a query."""

import pytest
import torch

from openke.module.scoring.compare import ALL_PAIRS, Blended, Pairwise

PAIRS = Pairwise(torch.tensor([0, 0, 2, 1, 0]), torch.tensor([3, 1, 1, 0, 3]))


def rows(n, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 6, generator=generator, dtype=torch.double, requires_grad=True)


@pytest.mark.parametrize("kind", ["dot", "l1", "l2", "complex"])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("form", ["listed pairs", "all pairs", "blended"])
def test_a_total_is_the_sum_of_the_similarities(kind, count, form):
    queries, table = [rows(3, seed) for seed in range(count)], rows(4, 9)
    compare = PAIRS if form == "listed pairs" else ALL_PAIRS
    if form == "blended":
        compare = Blended(PAIRS, rows(4, 8), torch.tensor([0.2, 0.7, 1.0], dtype=torch.double))
    found = compare.total(kind, queries, table)
    expected = torch.stack([compare(kind, query, table) for query in queries]).sum(dim=0)
    torch.testing.assert_close(found, expected)
    weights = torch.arange(1.0, 1 + found.numel(), dtype=torch.double).view_as(found)
    slopes = [
        torch.autograd.grad((weights * x).sum(), [*queries, table]) for x in (found, expected)
    ]
    torch.testing.assert_close(*slopes)
