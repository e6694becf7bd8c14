"""A compiled step is compiled again once where batches differ in size, not at every step."""

import pytest
import torch
from torch._dynamo.utils import counters

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.query_data_loader import QueryDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.penalty import N3
from openke.module.strategy import NegativeSampling, OneVsAll
from tests.contracts.graphs import BATCHES, build, graph, reciprocal

pytestmark = pytest.mark.slow

GRAPH = graph(triples=150)
SIZE = 16


def sampled(case):
    strategy = NegativeSampling(build(case), SigmoidLoss(adv_temperature=1.0), regul_rate=0.1)
    options = {**BATCHES["mixed"], "neg_ent": 1}  # few enough that some entities are not met
    return strategy, TrainDataLoader(GRAPH, batch_size=SIZE, **options)


def asked(model):
    strategy = OneVsAll(model, relation_prediction=0.5, penalty=N3(0.05))
    return strategy, QueryDataLoader(GRAPH, batch_size=SIZE)


WAYS = {
    "RotatE": lambda: sampled("RotatE"),
    "LBMKGC": lambda: sampled("LBMKGC"),
    "ComplEx against all": lambda: asked(build("ComplEx")),
    "ComplEx against all, reciprocal": lambda: asked(reciprocal("ComplEx")),
}


def trained(way, **options):
    """Return the losses of two epochs' steps, and how many programs were compiled after each."""
    strategy, loader = WAYS[way]()
    loader.prepare(strategy.prepare, pin=False)
    trainer = Trainer(
        *(strategy, loader, 2, 0.05),
        **{"opt_method": "adagrad", "device": "cpu", "progress": False, **options},
    )
    strategy.train()
    losses, programs, sizes = [], [], set()
    for epoch in range(2):
        for batch in loader.epoch(epoch):
            losses.append(float(trainer._step(batch)))
            programs.append(counters["stats"]["unique_graphs"])
            sizes.add(batch.tails if "against all" in way else len(batch.entities))
    # Of the kind that a program could have been made for each; with inverses all ask for tails.
    assert len(sizes) == 2 if way.endswith("reciprocal") else len(sizes) > 4
    return losses, programs


@pytest.mark.parametrize("way", WAYS)
def test_batches_of_other_sizes_are_no_other_programs(way, monkeypatch):
    torch.compiler.reset()
    counters.clear()
    plain, _ = trained(way)
    ordinary = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: ordinary(function, backend="eager"))
    losses, programs = trained(way, compile=True)
    assert losses == pytest.approx(plain, rel=1e-5)
    assert not counters["graph_break"]
    assert programs[0] == 1
    # One for any number of entities or queries about tails, one for the last, smaller batch.
    assert programs[1] <= 2
    # Features that few entities have are projected whole or by entity, whichever is less, and here
    # batches have as many entities as there are such features: one more.
    assert programs[-1] <= (4 if way == "LBMKGC" else 3)
