"""Rows of an embedding table: a copy, or the table itself where all are trained on."""

import pytest
import torch
from torch import nn

from openke.kernels import lookup


def table(rows=5):
    torch.manual_seed(0)
    return nn.Embedding(rows, 3)


@pytest.mark.parametrize("ids", [[0, 1, 2, 3, 4], [1, 3], [4, 3, 2, 1, 0], [0, 0, 1, 2, 3]])
@pytest.mark.parametrize("sparse", [False, True])
def test_rows_and_gradients_are_those_of_pytorchs_lookup(ids, sparse):
    ours, theirs = table(), table()
    ours.sparse = sparse
    index, weight = torch.tensor(ids), torch.arange(3.0 * len(ids)).view(-1, 3)
    found, expected = lookup(ours, index), theirs(index)
    assert torch.equal(found, expected)
    for rows in (found, expected):
        (rows * weight).sum().backward()
    assert torch.equal(ours.weight.grad.to_dense(), theirs.weight.grad)


def test_all_rows_in_their_order_are_the_table_itself_where_a_gradient_is_wanted():
    known, every = table(), torch.arange(5)
    assert lookup(known, every) is known.weight
    with torch.no_grad():  # what is kept does not change when the table moves on
        assert lookup(known, every).data_ptr() != known.weight.data_ptr()
    known.sparse = True  # the gradient is asked for as rows
    assert lookup(known, every).data_ptr() != known.weight.data_ptr()
    known.sparse = False
    known.weight.requires_grad_(False)
    assert lookup(known, every).data_ptr() != known.weight.data_ptr()
