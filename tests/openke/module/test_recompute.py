"""What is computed again on the way back changes nothing but memory."""

import pytest
import torch
from torch import nn

from openke.module.scoring.recompute import recomputed


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.weight = nn.BatchNorm1d(3), nn.Parameter(torch.arange(3.0))

    def forward(self, rows):
        return torch.tanh(self.norm(rows) * self.weight)


def test_running_statistics_see_each_batch_once():
    rows = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    once, again = Normed(), Normed()
    found = {}
    for module in (once, again):
        scores = module(rows) if module is once else recomputed(module, module, rows)
        scores.square().sum().backward()
        found[module] = [*module.norm.buffers(), module.weight.grad, module.norm.weight.grad]
    assert int(again.norm.num_batches_tracked) == 1
    for kept, computed in zip(found[once], found[again], strict=True):
        torch.testing.assert_close(computed, kept, rtol=0, atol=0)


def test_norms_count_again_after_a_failure():
    module = Normed()
    scores = recomputed(module, module, torch.randn(7, 3))
    module.forward = None  # the way back fails
    with pytest.raises(TypeError):
        scores.sum().backward()
    assert module.norm.momentum == 0.1
