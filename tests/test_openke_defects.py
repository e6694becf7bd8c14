"""Defects of OpenKE and of its children: each test is named for one and fails where it is here."""

import math

import numpy as np
import pytest
import torch

from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.config import Tester
from openke.data import TestDataLoader, TrainDataLoader, TripleStore
from openke.module.loss import SigmoidLoss
from openke.module.model import RotatE
from openke.module.strategy import NegativeSampling
from tests.contracts.graphs import ENTITIES, RELATIONS, both, build, first_batch, graph


def drawn(loader, epochs=1):
    return [batch for epoch in range(epochs) for batch in loader.epoch(epoch)]


def triples_of(batch):
    return torch.stack([batch.head, batch.relation, batch.tail], dim=2)[:, 1:].reshape(-1, 3)


@pytest.mark.parametrize("value", [0.0, math.nan])
def test_ranks_by_strict_comparison_give_a_constant_or_nan_score_mrr_1(value):
    model = RotatE(ENTITIES, RELATIONS, dim=4)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)
    tester = Tester(model, TestDataLoader(graph()), device="cpu", progress=False)
    if math.isnan(value):
        with pytest.raises(ValueError, match="NaN"):
            tester.rank("test")
    else:
        assert tester.rank("test", filter_splits=()).metrics()["mr"] == (ENTITIES + 1) / 2


def test_process_wide_state_lets_a_test_loader_change_the_sampler():
    loader = TrainDataLoader(graph(), batch_size=8, neg_ent=4)
    alone = drawn(loader)
    again = TrainDataLoader(graph(), batch_size=8, neg_ent=4)
    other = TripleStore.from_triples([[0, 0, 1]], test=[[1, 0, 0]], entities=2, relations=1)
    TestDataLoader(other)
    TrainDataLoader(other, batch_size=1)
    between = drawn(again)
    assert again.get_triple_tot() == loader.get_triple_tot()
    for first, second in zip(alone, between, strict=True):
        assert torch.equal(first.negative, second.negative)


def test_results_divided_in_place_change_when_asked_for_twice():
    tester = Tester(build("RotatE"), TestDataLoader(graph()), device="cpu", progress=False)
    assert tester.run_link_prediction() == tester.run_link_prediction()
    report = tester.report
    assert report.metrics() == report.metrics()


@pytest.mark.parametrize("filtered", [True, False])
def test_filter_flag_never_reaches_the_sampler(filtered):
    store = TripleStore.from_triples([[0, 0, 1], [0, 0, 2], [1, 0, 2]], entities=4, relations=1)
    facts = set(map(tuple, store.triples("train").tolist()))
    loader = TrainDataLoader(store, neg_ent=4, filter_flag=filtered)
    found = {tuple(row) for batch in drawn(loader, 20) for row in triples_of(batch).tolist()}
    assert bool(found & facts) != filtered


def test_low_bits_of_the_generator_give_all_negatives_of_a_positive_one_parity():
    store = graph(entities=64, triples=200)
    loader = TrainDataLoader(store, neg_ent=8, filter_flag=False, batch_size=200)
    negatives = torch.cat([batch.negative for batch in drawn(loader, 20)])
    odd = (negatives % 2).sum(dim=1)
    same = ((odd == 0) | (odd == 8)).double().mean().item()
    expected, count = 2 / 2**8, len(negatives)
    assert abs(same - expected) < 5 * math.sqrt(expected / count)


def test_drawing_with_replacement_shows_an_epoch_63_percent_of_train():
    store = graph(triples=300)
    seen = {
        tuple(row) for batch in drawn(TrainDataLoader(store)) for row in batch.positive.tolist()
    }
    assert seen == set(map(tuple, store.triples("train").tolist()))


def test_unseeded_threads_make_batches_depend_on_their_number():
    first, second = (
        drawn(TrainDataLoader(graph(), threads=threads, neg_ent=50 // 3, seed=1))
        for threads in (1, 4)
    )
    for one, four in zip(first, second, strict=True):
        assert torch.equal(one.positive, four.positive)
        assert torch.equal(one.negative, four.negative)


def test_unchecked_files_make_a_missing_folder_or_bad_id_a_segmentation_fault(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        TrainDataLoader(tmp_path / "nowhere")
    (tmp_path / "entity2id.txt").write_text("2\na\t0\nb\t1\n")
    (tmp_path / "relation2id.txt").write_text("1\nr\t0\n")
    (tmp_path / "train2id.txt").write_text("1\n0 7 0\n")
    with pytest.raises(ValueError, match=r"train2id\.txt:2: .*7"):
        TrainDataLoader(tmp_path)


def test_projections_are_recomputed_for_every_query(monkeypatch):
    model = LBMKGC(ENTITIES, RELATIONS, both(), dim=4)
    encoded = []
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda ids: (encoded.append(len(ids)), encode(ids))[1])
    Tester(model, TestDataLoader(graph()), device="cpu", progress=False).rank("test")
    assert sum(encoded) == ENTITIES


@pytest.mark.parametrize("case", ["RotatE", "LBMKGC", "TransE L2 margin"])
def test_constants_and_unused_layers_are_parameters(case):
    model = build(case)
    NegativeSampling(model, SigmoidLoss())(first_batch("mixed")).backward()
    names = {name for name, _ in model.named_parameters()}
    assert not {name for name in names if "margin" in name or "pi" in name.split(".")}
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert np.isfinite(sum(float(p.grad.abs().sum()) for p in model.parameters()))
