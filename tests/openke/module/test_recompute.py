"""What is computed again on the way back changes nothing but memory."""

import pytest
import torch
from torch import nn

from openke.data import QueryDataLoader
from openke.module.scoring.recompute import recomputed
from openke.module.strategy import OneVsAll, query_blocks
from tests.contracts.graphs import ENTITIES, build, graph


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


def test_the_way_back_may_be_gone_twice():
    module = Normed()
    scores = recomputed(module, module, torch.randn(7, 3)).square().sum()
    scores.backward(retain_graph=True)
    once = module.weight.grad.clone()
    scores.backward()
    torch.testing.assert_close(module.weight.grad, 2 * once)
    assert int(module.norm.num_batches_tracked) == 1


@pytest.mark.parametrize("relation_prediction", [0.0, 0.5])
@pytest.mark.parametrize("block", [query_blocks.LOGITS_BYTES, 3 * 4 * ENTITIES])
def test_training_against_all_entities_moves_statistics_forwards_alone(
    relation_prediction, block, monkeypatch
):
    monkeypatch.setattr(query_blocks, "LOGITS_BYTES", block)
    model = build("TuckER").train()
    strategy = OneVsAll(model, relation_prediction=relation_prediction)
    loss = strategy(next(QueryDataLoader(graph(), 16).epoch(0)))
    before = [buffer.clone() for buffer in model.buffers()]
    loss.backward()
    assert all(torch.equal(*pair) for pair in zip(before, model.buffers(), strict=True))


def test_norms_count_again_after_a_failure():
    module = Normed()
    scores = recomputed(module, module, torch.randn(7, 3))
    module.forward = None  # the way back fails
    with pytest.raises(TypeError):
        scores.sum().backward()
    assert module.norm.momentum == 0.1
