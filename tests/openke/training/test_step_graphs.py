"""When steps are recorded, replayed, recorded anew and not; a graph that records nothing stands in.

What a real one computes is in tests/contracts/test_on_gpu.py.
"""

from __future__ import annotations

import warnings

import pytest
import torch

from openke.config import Trainer
from openke.data.query_data_loader import QueryDataLoader
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.strategy import MANS, NegativeSampling, OneVsAll
from openke.training import step_graphs
from openke.training.optimizers import restore_optimizer
from openke.training.step_graphs import WARM_UP, StepGraphs, can_be_replayed
from tests.contracts.graphs import build, graph

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class NoGraph:
    """Counts; what is replayed is the loss as it was recorded."""

    begun = replays = 0

    def capture_begin(self, pool, capture_error_mode):
        assert capture_error_mode == "thread_local"
        NoGraph.begun += 1

    def capture_end(self):
        pass

    def replay(self):
        NoGraph.replays += 1


@pytest.fixture
def steps(monkeypatch):
    """Return recorded steps of RotatE on the CPU, and what they were taken on."""
    NoGraph.begun = NoGraph.replays = 0
    monkeypatch.setattr(torch.cuda, "CUDAGraph", NoGraph)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: (0, 1))
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)
    strategy = NegativeSampling(build("RotatE"), SigmoidLoss())
    optimizer = torch.optim.Adam(strategy.parameters(), lr=0.1)
    taken = []

    def step(batch):
        taken.append(batch)
        optimizer.zero_grad()
        loss = strategy(batch)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return StepGraphs(step, strategy, optimizer, CPU), taken


def batches(size=8):
    loader = TrainDataLoader(graph(), batch_size=size, neg_ent=3)
    return [
        batch.padded(graph().entity_count)
        for epoch in range(6)
        for batch in loader.epoch(epoch)
        if len(batch) == size
    ]


def take(graphs, given):
    for batch in given:
        graphs(batch)


def test_a_layout_is_recorded_after_some_steps_and_then_replayed(steps):
    graphs, taken = steps
    given = batches()
    for batch in given:
        graphs(batch)
    assert len(taken) == WARM_UP + 1  # the last was recorded
    assert NoGraph.begun == 1
    assert NoGraph.replays == graphs.replayed == len(given) - WARM_UP
    held = taken[-1]
    assert held is not given[WARM_UP]
    for mine, last in zip(held.tensors(), given[-1].tensors(), strict=True):
        assert torch.equal(mine, last)


def test_another_layout_and_another_rate_are_recorded_anew(steps):
    graphs, taken = steps
    given, small = batches(), batches(4)
    small = [batch for batch in small if batch.layout() == small[0].layout()]
    for batch in [*given[:5], *small[:5], *given[:5]]:
        graphs(batch)
    assert NoGraph.begun == 2
    graphs._optimizer.param_groups[0]["lr"] = 0.05
    graphs(given[0])
    assert NoGraph.begun == 2  # the next may have another rate again
    graphs(given[0])
    assert NoGraph.begun == 3
    assert len(taken) == 2 * WARM_UP + 4
    graphs._optimizer.param_groups[0]["lr"] = 0.1
    graphs(given[0])
    assert NoGraph.begun == 3  # the first is still there


def test_rates_of_single_steps_are_never_recorded(steps):
    graphs, taken = steps
    given = batches()
    for number, batch in enumerate(given):
        graphs._optimizer.param_groups[0]["lr"] = 0.1 / (1 + number)
        graphs(batch)
    assert NoGraph.begun == 0
    assert len(taken) == len(given)


def test_new_tensors_are_recorded_anew(steps):
    graphs, _ = steps
    given = batches()
    for batch in given[:5]:
        graphs(batch)
    graphs.begin_epoch()
    graphs(given[5])
    assert NoGraph.begun == 1
    weight = graphs._strategy.model.ent_embeddings.weight
    weight.data = weight.data.clone()
    graphs.begin_epoch()
    graphs(given[5])
    assert NoGraph.begun == 2


def test_the_oldest_of_many_is_dropped(steps, monkeypatch):
    monkeypatch.setattr(step_graphs, "MOST", 2)
    graphs, _ = steps
    given = batches()[: WARM_UP + 1]
    for batch in given:
        graphs(batch)
    for rate in (0.2, 0.3, 0.1):
        graphs._optimizer.param_groups[0]["lr"] = rate
        take(graphs, given[:2])
    assert NoGraph.begun == 4


def test_what_waits_is_taken_kernel_by_kernel_and_said_once(steps, monkeypatch):
    graphs, taken = steps
    watched = []

    def mode(chosen):
        watched.append(chosen)

    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", mode)
    step = graphs._step

    def waits(batch):
        if watched and watched[-1] == "warn":
            warnings.warn("called a synchronizing CUDA operation", UserWarning, stacklevel=1)
            warnings.warn("something else", UserWarning, stacklevel=1)
        return step(batch)

    graphs._step = waits
    given = batches()
    with (
        pytest.warns(RuntimeWarning, match="RotatE are launched kernel by kernel, .*OPENKE_GRAPHS"),
        pytest.warns(UserWarning, match="something else"),
    ):
        take(graphs, given)
    assert watched == ["warn", 0]
    assert NoGraph.begun == graphs.replayed == 0
    assert len(taken) == len(given)  # each once, the one that waited, too


def test_what_looks_at_the_clock_is_not_recorded(steps):
    graphs, taken = steps
    step = graphs._step

    def looks(batch):
        assert graphs._strategy.clock.step >= 0
        return step(batch)

    graphs._step = looks
    given = batches()
    with pytest.warns(RuntimeWarning, match="where in the training they are"):
        take(graphs, given)
    assert len(taken) == len(given)
    assert graphs.replayed == NoGraph.begun == 0


def test_a_step_that_cannot_be_recorded_is_still_taken(steps):
    graphs, taken = steps
    step = graphs._step

    def fails(batch):
        if NoGraph.begun:
            NoGraph.begun = 0
            raise RuntimeError("operation not permitted when stream is capturing")
        return step(batch)

    graphs._step = fails
    given = batches()
    with pytest.warns(RuntimeWarning, match="could not be recorded"):
        take(graphs, given)
    assert len(taken) == len(given)


def test_an_error_of_the_step_is_the_users(steps):
    graphs, _ = steps

    def wrong(batch):
        raise RuntimeError("shapes do not fit")

    graphs._step = wrong
    for batch in batches()[:WARM_UP]:
        with pytest.raises(RuntimeError, match="shapes do not fit"):
            graphs(batch)


def test_batches_of_another_kind_are_not_recorded(steps):
    graphs, taken = steps

    class Own:
        share = 1.0

        def __init__(self, batch):
            self.batch = batch

        def to(self, device):
            return self.batch.to(device)

    for batch in batches():
        graphs(Own(batch))
        assert taken[-1] is batch
    assert NoGraph.begun == 0


def test_batches_are_filled_up_where_that_changes_nothing(steps):
    graphs, _ = steps
    batch = next(iter(TrainDataLoader(graph(), batch_size=4, neg_ent=1).epoch(0)))
    assert len(graphs.even(batch).entities) > len(batch.entities)
    queries = next(iter(QueryDataLoader(graph(), batch_size=4).epoch(0)))
    assert graphs.even(queries) is queries
    losses = {"alignment": 0.1}
    together = NegativeSampling(build("MMKRL"), SigmoidLoss(), auxiliary=losses)
    alone = StepGraphs(lambda batch: batch, together, graphs._optimizer, CPU)
    assert alone.even(batch) is batch


def strategy(case, **options):
    return NegativeSampling(build(case), SigmoidLoss(), **options)


def test_which_steps_are_recorded(monkeypatch):
    assert can_be_replayed(strategy("RotatE"), 1, CUDA, 1)
    assert can_be_replayed(OneVsAll(build("ComplEx")), 1, CUDA, 1)
    assert not can_be_replayed(strategy("RotatE"), 1, CPU, 1)
    assert not can_be_replayed(strategy("RotatE"), 2, CUDA, 1)
    assert not can_be_replayed(strategy("RotatE"), 1, CUDA, 2)
    assert not can_be_replayed(OneVsAll(build("TransR")), 1, CUDA, 1)
    assert not can_be_replayed(MANS(build("IKRL"), SigmoidLoss()), 1, CUDA, 1)
    monkeypatch.setenv("OPENKE_GRAPHS", "never")
    assert not can_be_replayed(strategy("RotatE"), 1, CUDA, 1)
    monkeypatch.setenv("OPENKE_GRAPHS", "sometimes")
    with pytest.raises(ValueError, match="OPENKE_GRAPHS is 'sometimes'; expected auto, never"):
        can_be_replayed(strategy("RotatE"), 1, CUDA, 1)


def test_a_cpu_records_nothing():
    loader = TrainDataLoader(graph(), batch_size=8, neg_ent=3)
    trainer = Trainer(strategy("RotatE"), loader, 1, 0.1, device="cpu", progress=False)
    trainer.run()
    assert trainer._graphs is None


def test_how_a_step_is_computed_stays_where_it_is_loaded():
    parameter = torch.nn.Parameter(torch.ones(3))
    here = torch.optim.Adam([parameter], lr=0.1, foreach=False)
    parameter.grad = torch.ones(3)
    here.step()
    saved = here.state_dict()
    # As of a GPU, whose steps are counted there.
    saved["param_groups"][0] |= {"fused": True, "capturable": True, "lr": 0.5}
    again = torch.optim.Adam([parameter], lr=0.1, foreach=False)
    restore_optimizer(again, saved)
    (group,) = again.param_groups
    assert (group["fused"], group["capturable"], group["foreach"]) == (None, False, False)
    assert group["lr"] == 0.5
    again.step()
    assert again.state[parameter]["step"] == 2
