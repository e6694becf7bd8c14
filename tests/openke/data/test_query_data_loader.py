"""Queries of the train split: which, in which order, with which answers."""

import threading
from collections import Counter

import numpy as np
import pytest
import torch

from openke.data import QueryBatch, QueryDataLoader, TripleStore
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke


def asked(batch):
    """Return (side, anchor, relation, answers) of each query of a batch."""
    offsets = range(len(batch) + 1) if batch.offsets is None else batch.offsets.tolist()
    return [
        (
            "tail" if row < batch.tails else "head",
            int(batch.anchor[row]),
            int(batch.relation[row]),
            tuple(batch.answer[offsets[row] : offsets[row + 1]].tolist()),
        )
        for row in range(len(batch))
    ]


def epoch(loader, number=0):
    return [query for batch in loader.epoch(number) for query in asked(batch)]


def test_every_triple_asks_for_its_tail_and_for_its_head():
    store = graph()
    expected = Counter()
    for head, relation, tail in store.triples("train").tolist():
        expected[("tail", head, relation, (tail,))] += 1
        expected[("head", tail, relation, (head,))] += 1
    for number in (0, 1):
        assert Counter(epoch(QueryDataLoader(store, 7), number)) == expected


def test_every_distinct_query_is_asked_once_with_all_its_answers():
    store = graph(triples=300)
    train = store.triples("train").tolist()
    expected = {("tail", h, r, tuple(store.known("tail", h, r, ["train"]))) for h, r, _ in train}
    expected |= {("head", t, r, tuple(store.known("head", t, r, ["train"]))) for _, r, t in train}
    found = epoch(QueryDataLoader(store, 7, targets="all"))
    assert max(len(query[3]) for query in found) > 1
    assert len(found) == len(set(found))
    assert set(found) == expected


@pytest.mark.parametrize("targets", ["one", "all"])
def test_the_same_seed_gives_the_same_batches(targets):
    def run(seed, number):
        return epoch(QueryDataLoader(graph(), 7, targets=targets, seed=seed), number)

    assert run(3, 2) == run(3, 2)
    assert run(3, 2) != run(4, 2)
    assert run(3, 2) != run(3, 3)


@pytest.mark.parametrize("targets", ["one", "all"])
def test_sizes(targets):
    loader = QueryDataLoader(graph(), 7, targets=targets)
    sizes = [len(batch) for batch in loader.epoch(0)]
    assert len(sizes) == len(loader)
    assert set(sizes[:-1]) == {7}
    assert 1 <= sizes[-1] <= 7


def test_a_folder_is_read_and_a_split_held_out(tmp_path):
    write_openke(graph(), tmp_path)
    loader = QueryDataLoader(tmp_path, hold_out=0.1, seed=5)
    expected = TripleStore.open(tmp_path).hold_out(0.1, 5)
    assert loader.store.fingerprint == expected.fingerprint
    assert len(epoch(loader)) == 2 * len(expected.triples("train"))
    assert loader.settings == {"batch_size": 1000, "targets": "one", "seed": 5, "hold_out": 0.1}


def test_a_loader_that_is_left_early_leaves_no_thread():
    before = threading.active_count()
    batches = QueryDataLoader(graph(), 7).epoch(0)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_a_batch_moves_to_a_device():
    for targets in ("one", "all"):
        batch = next(QueryDataLoader(graph(), 7, targets=targets).epoch(0))
        assert batch.to(torch.device("cpu")) is batch
        moved = batch.to(torch.device("meta"))
        assert isinstance(moved, QueryBatch)
        assert (moved.anchor.device.type, moved.answer.device.type) == ("meta", "meta")
        assert (moved.tails, len(moved)) == (batch.tails, len(batch))
        assert (moved.offsets is None) == (targets == "one")


def test_bad_values_are_named():
    with pytest.raises(ValueError, match="targets is 'some', expected 'one' or 'all'"):
        QueryDataLoader(graph(), targets="some")
    with pytest.raises(ValueError, match="batch_size is 0, expected at least 1 query"):
        QueryDataLoader(graph(), 0)
    with pytest.raises(ValueError, match="seed is -1"):
        QueryDataLoader(graph(), seed=-1)


def test_ids_are_int64():
    batch = next(QueryDataLoader(graph(), 7, targets="all").epoch(0))
    for ids in (batch.anchor, batch.relation, batch.answer, batch.offsets):
        assert ids.numpy().dtype == np.int64


def test_offsets_are_on_the_host_too_wherever_a_batch_is_and_whoever_made_it():
    offsets = torch.tensor([0, 2, 3])
    one = torch.tensor([1, 2])
    batch = QueryBatch(one, one, 1, torch.tensor([3, 4, 5]), offsets)
    moved = batch.to(torch.device("meta"))
    assert moved.offsets.device.type == "meta"
    assert torch.equal(moved.ends, offsets)
    assert QueryBatch(one, one, 1, one).ends is None


def test_queries_weigh_by_how_often_their_answer_is_one():
    store = graph()
    train = store.triples("train")
    counts = np.bincount(np.concatenate([train[:, 0], train[:, 2]]), minlength=store.entity_count)
    weights = 0.1 + 0.9 * counts / counts.max()
    loader = QueryDataLoader(store, 7, answer_weights="frequency")
    plain = QueryDataLoader(store, 7)
    for batch, same in zip(loader.epoch(1), plain.epoch(1), strict=True):
        assert torch.equal(batch.answer, same.answer)
        assert same.weight is None
        np.testing.assert_allclose(batch.weight, weights[batch.answer], rtol=1e-6)
        moved = batch.to(torch.device("meta"))
        assert moved.weight.device.type == "meta"
    assert plain.settings == {k: v for k, v in loader.settings.items() if k != "answer_weights"}
    assert loader.settings["answer_weights"] == "frequency"


def test_shards_together_have_the_weighted_mean():
    loader = QueryDataLoader(graph(), 7, answer_weights="frequency")

    def means(rank, ranks):
        loader.prepare(pin=False, shard=(rank, ranks))
        return [
            (batch.share, float((batch.weight * batch.answer).sum() / batch.weight.sum()))
            for batch in loader.epoch(0)
        ]

    whole, shards = means(0, 1), [means(rank, 3) for rank in range(3)]
    for (_, expected), *parts in zip(whole, *shards, strict=True):
        assert sum(share * mean for share, mean in parts) / 3 == pytest.approx(expected)


def test_weights_are_of_queries_with_one_answer():
    with pytest.raises(ValueError, match="answer_weights is 'often', expected one of 'even', 'fr"):
        QueryDataLoader(graph(), answer_weights="often")
    with pytest.raises(ValueError, match="queries of k-vs-all training have several answers each"):
        QueryDataLoader(graph(), targets="all", answer_weights="frequency")


def test_one_side_of_each_triple_is_hidden_another_one_in_each_epoch():
    store = graph()
    train = [tuple(triple) for triple in store.triples("train").tolist()]
    loader = QueryDataLoader(store, 7, one_side=True)
    sides = []
    for number in range(3):
        found = epoch(loader, number)
        facts = [
            (known, r, *answer) if side == "tail" else (*answer, r, known)
            for side, known, r, answer in found
        ]
        assert sorted(facts) == sorted(train)
        assert len(loader) == -(-len(train) // 7)
        sides.append({fact: query[0] for fact, query in zip(facts, found, strict=True)})
        assert set(sides[-1].values()) == {"head", "tail"}
    assert sides[0] != sides[1] != sides[2]
    assert epoch(loader, 1) == epoch(QueryDataLoader(store, 7, one_side=True), 1)
    assert loader.settings["one_side"] is True
    assert "one_side" not in QueryDataLoader(store, 7).settings


def test_one_side_needs_queries_of_triples():
    with pytest.raises(ValueError, match="one_side hides one side of each triple, but with tar"):
        QueryDataLoader(graph(), 7, targets="all", one_side=True)
