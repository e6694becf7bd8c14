"""Batches that move, and layouts that come back."""

import threading
import time

import pytest
import torch

from openke.data.loader import ahead
from openke.data.query_data_loader import QueryDataLoader
from openke.data.train_data_loader import TrainDataLoader
from openke.module.loss import SigmoidLoss
from openke.module.strategy import KVsAll, NegativeSampling, OneVsAll
from tests.contracts.graphs import BATCHES, build, first_batch, graph, reciprocal


def batches(**options):
    loader = TrainDataLoader(graph(), batch_size=8, **options)
    return [batch for epoch in range(5) for batch in loader.epoch(epoch) if len(batch) == 8]


@pytest.mark.parametrize("shape", BATCHES)
def test_a_copy_has_its_own_tensors_and_the_same_layout(shape):
    batch = first_batch(shape)
    copied = batch.copy()
    assert copied.layout() == batch.layout()
    assert len(copied.tensors()) == len(batch.tensors()) > 4
    for mine, other in zip(copied.tensors(), batch.tensors(), strict=True):
        assert torch.equal(mine, other)
        assert mine.data_ptr() != other.data_ptr()


def test_filled_up_batches_have_one_layout():
    found = batches(neg_ent=3)
    assert len({batch.layout() for batch in found}) > 1
    assert len({batch.padded(graph().entity_count).layout() for batch in found}) == 1


@pytest.mark.parametrize("u", [1, 15, 16, 17, 127, 5000])
def test_at_most_an_eighth_more(u):
    batch = first_batch("mixed")
    batch = type(batch)(**{**vars(batch), "entities": torch.arange(u)})
    filled = batch.padded(10**6).entities
    assert u <= len(filled) <= max(u + 15, u * 9 // 8)
    assert torch.equal(filled[:u], torch.arange(u))
    assert (filled[u:] == u - 1).all()
    assert len(batch.padded(u).entities) == u


@pytest.mark.parametrize("shape", BATCHES)
@pytest.mark.parametrize("case", ["RotatE", "ComplEx", "TransR", "LBMKGC", "AdaMF"])
def test_filling_up_changes_no_loss_and_no_gradient(case, shape):
    found = []
    for pad in (False, True):
        torch.manual_seed(0)
        strategy = NegativeSampling(build(case).double(), SigmoidLoss(), regul_rate=0.1)
        batch = strategy.prepare(first_batch(shape))
        loss = strategy(batch.padded(100) if pad else batch)
        loss.backward()
        grads = [p.grad for p in strategy.parameters() if p.grad is not None]
        found.append([loss, *grads])
    for plain, filled in zip(*found, strict=True):
        torch.testing.assert_close(filled, plain)


def test_queries_with_inverses_have_one_layout():
    loader = QueryDataLoader(graph(), batch_size=16)
    one, other = OneVsAll(reciprocal("ComplEx")), OneVsAll(build("ComplEx"))
    found = [batch for epoch in range(4) for batch in loader.epoch(epoch) if len(batch) == 16]
    assert len({one.prepare(batch).layout() for batch in found}) == 1
    assert len({other.prepare(batch).layout() for batch in found}) > 1
    for batch in found:
        torch.testing.assert_close(one(one.prepare(batch)), one(batch))


def test_what_the_host_reads_has_no_layout():
    loader = QueryDataLoader(graph(), batch_size=16, targets="all")
    assert KVsAll(build("ComplEx")).prepare(next(loader.epoch(0))).layout() is None


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("count", [1, 2, 10])
def test_several_make_batches_in_order(workers, count):
    names = set()

    def make(index):
        names.add(threading.current_thread().name)
        time.sleep(0.002 * (index % 3))
        return index

    assert list(ahead(make, count, "maker", workers)) == list(range(count))
    assert len(names) <= workers


def test_an_error_of_a_maker_comes_out():
    def make(index):
        if index == 3:
            raise ValueError("no third")
        return index

    found = ahead(make, 10, "maker", 2)
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="no third"):
        next(found)
