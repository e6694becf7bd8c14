"""Checksums differ where anything differs."""

import torch

from openke.runtime.checksum import checksum

VALUES = [
    None, [1, 23], [12, 3], ["a", "bc"], ["ab", "c"],
    0, 0.0, False, "", "0", [], {}, [0], [[0]], {"a": 0}, {"b": 0}, {"a": [0]}, {0: 0},
    torch.zeros(2), torch.zeros(3), torch.zeros(2, 1), torch.zeros(2).double(),
    torch.zeros(2, dtype=torch.int32), torch.zeros(()), torch.zeros(0), torch.tensor([0.0, 1e-30]),
    torch.tensor([-0.0, 0.0]), torch.zeros(2).bfloat16(), torch.zeros(2).bool(),
    [torch.zeros(2), torch.zeros(1)], [torch.zeros(1), torch.zeros(2)],
]  # fmt: skip


def test_no_two_of_them_are_the_same():
    assert len({checksum(value) for value in VALUES}) == len(VALUES)


def test_how_a_tensor_lies_in_memory_is_nothing():
    whole = torch.arange(6.0).view(2, 3)
    assert checksum(whole.t()) == checksum(whole.t().contiguous())
    assert checksum(torch.nn.Parameter(whole)) == checksum(whole)
