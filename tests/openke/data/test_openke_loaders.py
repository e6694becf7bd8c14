"""OpenKE's setters and its other loader give what the constructor gives."""

import numpy as np
import pytest
import torch

from openke.config import Tester
from openke.data import TestDataLoader, TrainDataLoader
from openke.data.batch import HEAD, TAIL
from openke.data.pytorch_train_data_loader import PyTorchTrainDataLoader
from openke.module.model import TransE
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke

OPTIONS = {"batch_size": 7, "neg_ent": 3, "seed": 4}


def same(first, second):
    a, b = list(first.epoch(1)), list(second.epoch(1))
    assert len(a) == len(b) == len(first) == len(second)
    for one, other in zip(a, b, strict=True):
        for name in ("positive", "negative", "slot"):
            assert torch.equal(getattr(one, name), getattr(other, name))
    assert first.settings == second.settings


@pytest.mark.parametrize(
    ("setter", "value", "option"),
    [
        ("set_batch_size", 11, "batch_size"),
        ("set_nbatches", 2, "nbatches"),
        ("set_ent_neg_rate", 5, "neg_ent"),
        ("set_rel_neg_rate", 1, "neg_rel"),
        ("set_bern_flag", 1, "bern_flag"),
        ("set_filter_flag", 0, "filter_flag"),
        ("set_work_threads", 2, "threads"),
        ("set_sampling_mode", "cross", "sampling_mode"),
    ],
)
def test_a_setter_is_the_argument(setter, value, option):
    store = graph()
    changed = TrainDataLoader(store, **OPTIONS)
    getattr(changed, setter)(value)
    same(changed, TrainDataLoader(store, **{**OPTIONS, option: value}))


def test_another_folder(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        (tmp_path / name).mkdir()
        write_openke(graph(seed=seed), tmp_path / name)
    loader = TrainDataLoader(tmp_path / "a", hold_out=0.1, **OPTIONS)
    loader.set_in_path(tmp_path / "b")
    same(loader, TrainDataLoader(tmp_path / "b", hold_out=0.1, **OPTIONS))
    files = {f"{kind}_file": str(tmp_path / "b" / name) for kind, name in (
        ("tri", "train2id.txt"), ("ent", "entity2id.txt"), ("rel", "relation2id.txt"))}  # fmt: skip
    for kind in (TrainDataLoader, PyTorchTrainDataLoader):
        same(kind(in_path=None, **files, **OPTIONS), kind(in_path=str(tmp_path / "b"), **OPTIONS))
    with pytest.raises(ValueError, match="in_path is None and so is tri_file: give a folder"):
        TrainDataLoader(None)


def test_a_refused_setting_leaves_the_loader_as_it_was():
    loader = TrainDataLoader(graph(), **OPTIONS)
    with pytest.raises(ValueError, match="1000"):
        loader.set_ent_neg_rate(1000)
    with pytest.raises(ValueError, match="batch_size is 0"):
        loader.set_batch_size(0)
    with pytest.raises(ValueError, match="sampling_mode is 'chess'"):
        loader.set_sampling_mode("chess")
    same(loader, TrainDataLoader(graph(), **OPTIONS))


def test_the_other_loader_is_the_same():
    store = graph()
    options = {"nbatches": 5, "threads": 2, "sampling_mode": "cross", "bern_flag": 1, "neg_ent": 4}
    same(
        PyTorchTrainDataLoader(store, **options, drop_last=False),
        TrainDataLoader(store, **options),
    )


def test_the_last_batch_is_dropped_only_where_it_is_short():
    store = graph()
    n = len(store.triples("train"))
    for size in (7, n, n - 1, n + 1):
        whole = PyTorchTrainDataLoader(store, batch_size=size, drop_last=False)
        cut = PyTorchTrainDataLoader(store, batch_size=size)
        assert len(whole) == -(-n // size)
        assert len(cut) == max(1, n // size)
        assert len(next(iter(cut.epoch(0)))) == min(n, size)


def test_the_order_of_the_file():
    store = graph()
    loader = PyTorchTrainDataLoader(store, batch_size=9, shuffle=False, drop_last=False)
    for epoch in range(2):
        seen = torch.cat([batch.positive for batch in loader.epoch(epoch)])
        assert np.array_equal(seen, store.triples("train"))
    first, second = (torch.cat([b.negative for b in loader.epoch(e)]) for e in (0, 1))
    assert not torch.equal(first, second)


def test_a_loop_of_ones_own_ranks_as_a_tester_does():
    store = graph()
    model, loader = TransE(store.entity_count, store.relation_count, 6), TestDataLoader(store)
    tester = Tester(model, loader, device="cpu", progress=False)
    better = []
    for queries in loader:
        for data, slot in zip(queries, (HEAD, TAIL), strict=True):
            distances = tester.test_one_step(data)
            right = store.triples("test")[len(better) // 2, slot]
            better.append(1 + int((distances < distances[right]).sum()))
    raw = tester.rank("test", filter_splits=())
    assert len(better) == 2 * len(loader) == len(raw.side)
    assert np.mean(better[::2]) == raw.metrics(side="head")["mr"]
    assert np.mean(better[1::2]) == raw.metrics(side="tail")["mr"]


def test_a_loop_over_classification_is_refused():
    with pytest.raises(ValueError, match=r"call Tester\.run_triple_classification"):
        next(iter(TestDataLoader(graph(), "classification")))
