"""TrainDataLoader and TestDataLoader under OpenKE's names."""

import numpy as np
import pytest
import torch

from openke.data import Batch, TestDataLoader, TrainDataLoader, TripleStore
from openke.data.batch import HEAD, RELATION, TAIL
from openke.module.model import RotatE
from tests.contracts.graphs import BATCHES, ENTITIES, RELATIONS, graph


def batches(loader, epoch=0):
    return list(loader.epoch(epoch))


def as_set(triples):
    return set(map(tuple, np.asarray(triples).tolist()))


def test_openke_arguments_and_accessors(tmp_path):
    store = graph()
    write_openke(store, tmp_path)
    loader = TrainDataLoader(
        in_path=str(tmp_path) + "/",
        nbatches=5,
        threads=2,
        sampling_mode="normal",
        bern_flag=1,
        filter_flag=1,
        neg_ent=3,
        neg_rel=1,
    )
    n = len(store.triples("train"))
    assert loader.get_ent_tot() == ENTITIES
    assert loader.get_rel_tot() == RELATIONS
    assert loader.get_triple_tot() == n
    assert loader.get_batch_size() == -(-n // 5)
    assert len(loader) == 5
    batch = next(iter(loader))
    assert batch.head.shape == batch.tail.shape == batch.relation.shape == (len(batch), 5)
    tested = TestDataLoader(str(tmp_path), "link")
    assert tested.get_triple_tot() == len(store.triples("test"))
    assert (tested.get_ent_tot(), tested.get_rel_tot()) == (ENTITIES, RELATIONS)


def write_openke(store, folder):
    for kind, names in (("entity", store.entity_names), ("relation", store.relation_names)):
        lines = [str(len(names)), *(f"{name}\t{i}" for i, name in enumerate(names))]
        (folder / f"{kind}2id.txt").write_text("\n".join(lines) + "\n")
    for split in ("train", "valid", "test"):
        rows = store.triples(split)[:, [HEAD, TAIL, RELATION]]
        lines = [str(len(rows)), *(" ".join(map(str, row)) for row in rows.tolist())]
        (folder / f"{split}2id.txt").write_text("\n".join(lines) + "\n")


def test_an_epoch_visits_every_triple_once():
    store = graph()
    loader = TrainDataLoader(store, batch_size=7)
    for epoch in (0, 1):
        seen = torch.cat([batch.positive for batch in batches(loader, epoch)])
        assert len(seen) == len(store.triples("train"))
        assert as_set(seen) == as_set(store.triples("train"))
    first, second = (torch.cat([b.positive for b in batches(loader, e)]) for e in (0, 1))
    assert not torch.equal(first, second)


def test_replacement_order_repeats_some_and_misses_some():
    store = graph(triples=200)
    loader = TrainDataLoader(store, batch_size=11, order="replacement")
    seen = torch.cat([batch.positive for batch in batches(loader)])
    assert len(seen) == len(store.triples("train"))
    assert as_set(seen) < as_set(store.triples("train"))


def test_same_seed_same_batches_whatever_threads_and_batch_size():
    def drawn(**options):
        loader = TrainDataLoader(graph(), neg_ent=6, neg_rel=1, bern_flag=True, **options)
        return [
            torch.cat(columns)
            for columns in zip(
                *((b.positive, b.negative, b.slot) for b in batches(loader, 3)), strict=True
            )
        ]

    reference = drawn(seed=5, threads=1, batch_size=8)
    for options in ({"threads": 4, "batch_size": 8}, {"threads": 2, "batch_size": 13}):
        for found, expected in zip(drawn(seed=5, **options), reference, strict=True):
            assert torch.equal(found, expected)
    assert not torch.equal(drawn(seed=6, batch_size=8)[1], reference[1])


@pytest.mark.parametrize("shape", BATCHES)
def test_columns_replace_one_slot_and_keep_the_others(shape):
    batch = next(iter(TrainDataLoader(graph(), batch_size=16, **BATCHES[shape])))
    triples = torch.stack([batch.head, batch.relation, batch.tail], dim=2)  # [b 1+k 3]
    assert torch.equal(triples[:, 0], batch.positive)
    slot = batch.slot if not batch.shared else batch.slot[:, None].expand(-1, len(batch.negative))
    for row in range(len(batch)):
        for column in range(triples.shape[1] - 1):
            expected = batch.positive[row].clone()
            negative = batch.negative if batch.shared else batch.negative[row]
            expected[slot[row, column].long()] = negative[column]
            assert torch.equal(triples[row, column + 1], expected)


@pytest.mark.parametrize("shape", BATCHES)
def test_filtered_negatives_are_never_train_triples(shape):
    store = graph()
    facts = as_set(store.triples("train"))
    for batch in TrainDataLoader(store, batch_size=16, **BATCHES[shape]).epoch(0):
        triples = torch.stack([batch.head, batch.relation, batch.tail], dim=2)[:, 1:]
        for row in range(len(batch)):
            for column, triple in enumerate(triples[row].tolist()):
                known = bool(batch.mask[row, column]) if batch.mask is not None else False
                assert (tuple(triple) in facts) == known


def test_the_filter_can_be_turned_off():
    store = TripleStore.from_triples([[0, 0, 1], [0, 0, 2], [1, 0, 2]], entities=3, relations=1)
    loader = TrainDataLoader(store, neg_ent=3, filter_flag=False, seed=1)
    facts = as_set(store.triples("train"))
    drawn = torch.cat(
        [
            torch.stack([b.head, b.relation, b.tail], 2)[:, 1:].reshape(-1, 3)
            for e in range(20)
            for b in loader.epoch(e)
        ]
    )
    assert as_set(drawn) & facts


def test_cross_mode_alternates_sides():
    for batches in (4, 5, 1):  # an odd number goes on with the other side in the next epoch
        loader = TrainDataLoader(graph(), nbatches=batches, sampling_mode="cross", neg_ent=2)
        drawn = [batch for epoch in range(3) for batch in loader.epoch(epoch)]
        assert len(drawn) == 3 * batches
        for step, batch in enumerate(drawn):
            expected = HEAD if step % 2 == 0 else TAIL
            assert (batch.slot == expected).all()
            assert batch.side == ("head" if step % 2 == 0 else "tail")


def test_hold_out_gives_a_clean_validation_split():
    store = graph(triples=300)
    loader = TrainDataLoader(store, hold_out=0.1, seed=4)
    train, valid = loader.store.triples("train"), loader.store.triples("valid")
    assert as_set(train) | as_set(valid) == as_set(store.triples("train"))
    assert not as_set(train) & as_set(valid)
    assert 0 < len(valid) <= 0.1 * len(store.triples("train"))
    assert set(valid[:, [HEAD, TAIL]].flat) <= set(train[:, [HEAD, TAIL]].flat)
    assert set(valid[:, RELATION]) <= set(train[:, RELATION])
    assert loader.get_triple_tot() == len(train)


def test_sizes():
    n = len(graph().triples("train"))
    assert (TrainDataLoader(graph()).batch_size, len(TrainDataLoader(graph()))) == (512, 1)
    assert len(TrainDataLoader(graph(), batch_size=10)) == -(-n // 10)
    both = TrainDataLoader(graph(), batch_size=10, nbatches=2)
    assert sum(len(batch) for batch in both.epoch(0)) == 20


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0, expected at least 1"),
        ({"nbatches": -1}, "nbatches is -1, expected at least 1"),
        ({"sampling_mode": "both"}, "sampling_mode is 'both', expected one of 'normal', 'cross'"),
        ({"order": "sorted"}, "order is 'sorted', expected one of 'shuffle', 'replacement'"),
        ({"negatives": "ours"}, "negatives is 'ours', expected one of 'own', 'shared'"),
        ({"neg_ent": 24}, "24"),
        ({"hold_out": 1.5}, "1.5"),
        ({"neg_ent": 0}, "neg_ent is 0 and neg_rel is 0, expected at least one negative"),
        ({"neg_ent": 2.0}, "neg_ent is 2.0, expected a whole number"),
        ({"batch_size": 2.5}, "batch_size is 2.5, expected a whole number"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        TrainDataLoader(graph(), **options)


def test_a_missing_folder_is_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        TrainDataLoader(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="sampling_mode is 'triple'"):
        TestDataLoader(graph(), "triple")


def test_a_batch_moves_whole():
    batch = next(iter(TrainDataLoader(graph(), neg_ent=4, negatives="shared")))
    assert batch.to(torch.device("cpu")) is batch
    moved = batch.to(torch.device("meta"))
    assert isinstance(moved, Batch)
    for name in ("positive", "negative", "slot", "mask", "entities", "index"):
        assert getattr(moved, name).device.type == "meta"
    assert moved.side == batch.side


def test_some_negatives_are_chosen():
    store = graph()
    batch = next(iter(TrainDataLoader(store, batch_size=6, neg_ent=5)))
    columns = torch.tensor([[4, 0]] * 3 + [[2, 2]] * 3)
    chosen = batch.choose(columns)
    assert torch.equal(chosen.negative, batch.negative.gather(1, columns))
    assert torch.equal(chosen.slot, batch.slot.gather(1, columns))
    where = chosen.replacing_index.view(6, 2)
    assert torch.equal(chosen.entities[where], chosen.negative)
    assert torch.equal(chosen.head_index, batch.head_index)
    torch.manual_seed(0)
    model = RotatE(store.entity_count, store.relation_count, dim=4)
    assert torch.equal(model(chosen).negative, model(batch).negative.gather(1, columns))


@pytest.mark.parametrize("options", [{"negatives": "shared"}, {"neg_rel": 1}])
def test_negatives_that_cannot_be_chosen_from(options):
    batch = next(iter(TrainDataLoader(graph(), batch_size=6, neg_ent=5, **options)))
    with pytest.raises(ValueError, match=r"Batch.choose: expected entity negatives"):
        batch.choose(torch.zeros(6, 1, dtype=torch.int64))


def test_settings_of_earlier_runs_stay_what_they_were():
    usual = TrainDataLoader(graph(), batch_size=6).settings
    assert not {"one_slot", "weights"} & set(usual)
    new = TrainDataLoader(graph(), batch_size=6, one_slot=True, weights="frequency").settings
    assert {**usual, "one_slot": True, "weights": "frequency"} == new
