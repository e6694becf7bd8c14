"""Gradients as rows, against the dense gradient."""

import pytest
import torch
from torch import nn

from openke.training.optimizers import row_gradients
from openke.training.optimizers.row_gradients import row_gradient


def gradient(*lookups, sparse=True):
    torch.manual_seed(0)
    table = nn.Embedding(9, 4, sparse=sparse)
    weights = torch.arange(1.0, 5)
    total = sum(
        (table(torch.tensor(ids)) * weights * (1 + i)).sum() for i, ids in enumerate(lookups)
    )
    total.backward()
    return table.weight.grad


LOOKUPS = [
    ([0, 3, 8],),
    ([3, 0, 3, 7],),
    ([5, 1, 5, 5, 1],),
    ([1, 2, 5], [1, 2, 5], [8]),
    ([4],),
    (list(range(9)),),
]


@pytest.mark.parametrize("lookups", LOOKUPS)
def test_rows_are_those_of_the_dense_gradient(lookups):
    found = row_gradient(gradient(*lookups))
    distinct = sorted({i for ids in lookups for i in ids})
    assert found.ids.tolist() == distinct
    torch.testing.assert_close(found.rows, gradient(*lookups, sparse=False)[distinct])


@pytest.mark.parametrize("lookups", LOOKUPS)
def test_rows_found_without_asking_for_their_number(lookups):
    sparse = gradient(*lookups)
    ids, values = row_gradients._without_asking(sparse._indices()[0], sparse._values())
    assert len(ids) == sparse._indices().shape[1]
    dense = gradient(*lookups, sparse=False)
    assert set(ids.tolist()) == {i for lookup in lookups for i in lookup}
    torch.testing.assert_close(values, dense[ids])


def test_increasing_rows_are_not_copied():
    sparse = gradient([0, 3, 8])
    assert row_gradient(sparse).rows.data_ptr() == sparse._values().data_ptr()


def test_a_dense_gradient_is_all_rows():
    dense = gradient([0, 3], sparse=False)
    assert row_gradient(dense).ids.tolist() == list(range(9))
    assert row_gradient(dense).rows is dense
