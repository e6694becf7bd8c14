from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from openke.data.batch import CorruptedSide
from openke.data.sampler import CORRUPTED_SIDES, Draw, Sampler
from openke.data.store import TripleStore
from tests.openke.data.graphs import Graph, graphs

HEAD, RELATION, TAIL = 0, 1, 2
SLOT_NAMES = ("head", "relation", "tail")


def star(entities: int = 12) -> TripleStore:
    """Return a store in which (0, 0, ?) has the tails 1 to 6 and (?, 0, 1) the heads 0, 7 and 8."""
    train = [(0, 0, tail) for tail in range(1, 7)] + [(7, 0, 1), (8, 0, 1), (3, 1, 4)]
    # Facts of valid and test are not known to training.
    return TripleStore.from_triples(
        train, [(0, 0, 9)], [(10, 0, 1)], entities=entities, relations=5
    )


def draw_all(sampler: Sampler, epoch: int = 0, side: CorruptedSide = "mixed") -> Draw:
    return sampler.draw(sampler.order(epoch), epoch=epoch, first=0, side=side)


def same(a: Draw, b: Draw) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True) if x is not None)


def replaced(triple: np.ndarray, slot: int, value: int) -> tuple[int, ...]:
    ids = list(map(int, triple))
    ids[slot] = int(value)
    return tuple(ids)


def p_uniform(draws: np.ndarray, support: list[int], size: int) -> float:
    """Return the chi-square p-value of draws being uniform on the support and nowhere else."""
    counts = np.bincount(draws, minlength=size)
    assert counts.sum() == counts[support].sum(), "something outside the support was drawn"
    return float(stats.chisquare(counts[support]).pvalue)


@given(graphs(), st.data(), st.booleans(), st.integers(0, 2**64 - 1))
def test_filtered_negatives_are_not_in_train(
    graph: Graph, data: st.DataObject, bernoulli: bool, seed: int
) -> None:
    store = graph.store()
    k, r = data.draw(st.integers(0, graph.entities)), data.draw(st.integers(0, graph.relations))
    sampler = Sampler(
        store, seed=seed, entity_negatives=k, relation_negatives=r, bernoulli=bernoulli
    )
    side = data.draw(st.sampled_from(CORRUPTED_SIDES))
    train = set(graph.rows["train"])

    def left(triple: tuple[int, ...], slot: int) -> bool:
        size = graph.relations if slot == RELATION else graph.entities
        return any(replaced(np.array(triple), slot, x) not in train for x in range(size))

    sides = {"head": (HEAD,), "tail": (TAIL,), "mixed": (HEAD, TAIL)}[side]
    possible = all(
        (k == 0 or any(left(t, slot) for slot in sides)) and (r == 0 or left(t, RELATION))
        for t in train
    )
    if not possible:
        with pytest.raises(ValueError, match=r"to corrupt the triple \(head"):
            draw_all(sampler, side=side)
        return
    found = draw_all(sampler, side=side)
    assert found.mask is None
    assert found.negative.shape == found.slot.shape == (len(train), k + r)
    for triple, negatives, slots in zip(*found[:3], strict=True):
        assert tuple(triple) in train
        assert set(slots[:k]) <= set(sides)
        assert set(slots[k:]) <= {RELATION}
        for value, slot in zip(negatives, slots, strict=True):
            assert 0 <= value < (graph.relations if slot == RELATION else graph.entities)
            assert replaced(triple, slot, value) not in train


@given(graphs(), st.data(), st.booleans(), st.integers(0, 2**64 - 1))
def test_a_shared_set_is_distinct_and_masks_the_train_facts(
    graph: Graph, data: st.DataObject, filtered: bool, seed: int
) -> None:
    k = data.draw(st.integers(0, graph.entities))
    side = data.draw(st.sampled_from(CORRUPTED_SIDES))
    sampler = Sampler(graph.store(), seed=seed, entity_negatives=k, filtered=filtered, shared=True)
    found = draw_all(sampler, side=side)
    train = set(graph.rows["train"])
    assert found.negative.shape == (k,)
    assert sorted(set(found.negative.tolist())) == found.negative.tolist()
    assert found.mask is not None
    for triple, slot, mask in zip(found.positive, found.slot, found.mask, strict=True):
        assert slot in {"head": (HEAD,), "tail": (TAIL,), "mixed": (HEAD, TAIL)}[side]
        expected = [replaced(triple, slot, value) in train for value in found.negative]
        assert mask.tolist() == [filtered and fact for fact in expected]


@given(graphs(max_rows=80), st.data(), st.booleans())
def test_a_negative_depends_on_its_position_only(
    graph: Graph, data: st.DataObject, bernoulli: bool
) -> None:
    store = graph.store()
    options = {"seed": 3, "entity_negatives": 1, "bernoulli": bernoulli, "filtered": False}
    sampler = Sampler(store, **options, threads=1)
    rows = sampler.order(4)
    whole = sampler.draw(rows, epoch=4, first=0)
    start = data.draw(st.integers(0, len(rows)))
    part = Sampler(store, **options, threads=2).draw(rows[start:], epoch=4, first=start)
    assert np.array_equal(part.negative, whole.negative[start:])
    assert np.array_equal(part.slot, whole.slot[start:])
    assert np.array_equal(part.positive, store.triples("train")[rows[start:]])


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("filtered", [False, True])
def test_batches_are_the_same_for_any_number_of_threads(shared: bool, filtered: bool) -> None:
    random = np.random.default_rng(0)
    train = np.stack([random.integers(0, n, 4_000) for n in (300, 7, 300)], axis=1)
    store = TripleStore.from_triples(train, entities=300, relations=7)
    options = {"entity_negatives": 200, "shared": shared, "filtered": filtered, "bernoulli": True}
    draws = [
        draw_all(Sampler(store, seed=5, threads=threads, **options)) for threads in (1, 2, 7, 0)
    ]
    assert all(same(draws[0], other) for other in draws[1:])


def test_seed_and_epoch_change_the_batch() -> None:
    store = star()
    first = draw_all(Sampler(store, seed=1, entity_negatives=8))
    assert same(first, draw_all(Sampler(store, seed=1, entity_negatives=8)))
    assert not same(first, draw_all(Sampler(store, seed=2, entity_negatives=8)))
    sampler = Sampler(store, seed=1, entity_negatives=8)
    rows = sampler.order(0)
    again = sampler.draw(rows, epoch=0, first=0)
    assert again.negative is not first.negative  # fresh arrays each time
    assert not same(again, sampler.draw(rows, epoch=1, first=0))
    assert not same(again, sampler.draw(rows, epoch=0, first=1))
    shared = Sampler(store, seed=1, entity_negatives=8, shared=True)
    sets = {tuple(shared.draw(rows, epoch=e, first=f).negative) for e in (0, 1) for f in (0, 9)}
    assert len(sets) == 4


def test_an_order_is_a_permutation_or_independent_draws() -> None:
    store = star()
    sampler = Sampler(store, seed=1)
    n = len(store.triples("train"))
    orders = np.array([sampler.order(epoch) for epoch in range(4_000)])
    assert np.array_equal(np.sort(orders, axis=1), np.tile(np.arange(n), (4_000, 1)))
    drawn = np.array([sampler.order(epoch, replacement=True) for epoch in range(4_000)])
    every = list(range(n))
    for column in range(n):
        assert p_uniform(orders[:, column], every, n) > 1e-4
        assert p_uniform(drawn[:, column], every, n) > 1e-4
    # Neighbours are as independent as they should be.
    assert p_uniform(drawn[:, 0] * n + drawn[:, 1], list(range(n * n)), n * n) > 1e-4
    distinct = [a * n + b for a in range(n) for b in range(n) if a != b]
    assert p_uniform(orders[:, 0] * n + orders[:, 1], distinct, n * n) > 1e-4
    assert np.array_equal(orders[7], Sampler(store, seed=1, shared=True).order(7))


@pytest.mark.parametrize(("side", "slot"), [("head", HEAD), ("tail", TAIL)])
def test_filtered_draws_are_uniform_over_what_is_no_train_fact(
    side: CorruptedSide, slot: int
) -> None:
    store = star()
    sampler = Sampler(store, seed=2, entity_negatives=12)
    rows = np.zeros(3_000, np.int64)  # the triple (0, 0, 1), again and again
    found = sampler.draw(rows, epoch=0, first=0, side=side)
    assert (found.slot == slot).all()
    # Facts of valid and test (9 as a tail, 10 as a head) are drawn like any other.
    known = {HEAD: (0, 7, 8), TAIL: (1, 2, 3, 4, 5, 6)}[slot]
    support = [entity for entity in range(12) if entity not in known]
    assert p_uniform(found.negative.ravel(), support, 12) > 1e-3
    # Two negatives of one positive are independent: all pairs are equally likely.
    pairs = found.negative[:, 0] * 12 + found.negative[:, 1]
    assert p_uniform(pairs, [a * 12 + b for a in support for b in support], 144) > 1e-3


def test_relations_are_drawn_like_entities() -> None:
    sampler = Sampler(star(), seed=3, entity_negatives=1, relation_negatives=5)
    found = sampler.draw(np.zeros(2_000, np.int64), epoch=0, first=0)
    assert (found.slot[:, 0] != RELATION).all()
    assert (found.slot[:, 1:] == RELATION).all()
    assert p_uniform(found.negative[:, 1:].ravel(), [1, 2, 3, 4], 5) > 1e-3


def test_unfiltered_draws_are_uniform_over_everything() -> None:
    sampler = Sampler(star(), entity_negatives=6, relation_negatives=5, filtered=False)
    found = sampler.draw(np.zeros(4_000, np.int64), epoch=0, first=0)
    assert p_uniform(found.negative[:, :6].ravel(), list(range(12)), 12) > 1e-3
    assert p_uniform(found.negative[:, 6:].ravel(), list(range(5)), 5) > 1e-3


def test_a_shared_set_takes_every_entity_equally_often() -> None:
    sampler = Sampler(star(), entity_negatives=5, shared=True)
    rows = np.zeros(1, np.int64)
    sets = np.array([sampler.draw(rows, epoch=0, first=i).negative for i in range(5_000)])
    assert p_uniform(sets.ravel(), list(range(12)), 12) > 1e-3
    pairs = [a * 12 + b for row in sets for i, a in enumerate(row) for b in row[i + 1 :]]
    support = [a * 12 + b for a in range(12) for b in range(a + 1, 12)]
    assert p_uniform(np.array(pairs), support, 144) > 1e-3


@pytest.mark.parametrize("filtered", [False, True])
@pytest.mark.parametrize("shared", [False, True])
def test_bernoulli_replaces_the_head_by_tph_over_both(filtered: bool, shared: bool) -> None:
    store = star()
    statistics = store.relation_statistics()
    # (0, 0, six tails), (7, 0, 1), (8, 0, 1): 8 triples, 3 heads, 6 tails.
    assert statistics.tails_per_head[0] == pytest.approx(8 / 3)
    assert statistics.heads_per_tail[0] == pytest.approx(8 / 6)
    rows = np.zeros(20_000, np.int64)
    for bernoulli, expected in ((True, 2 / 3), (False, 1 / 2)):
        options = {"bernoulli": bernoulli, "filtered": filtered, "shared": shared}
        slot = Sampler(store, seed=1, **options).draw(rows, epoch=0, first=0).slot
        heads = int((slot == HEAD).sum())
        assert stats.binomtest(heads, slot.size, expected).pvalue > 1e-3
        assert set(np.unique(slot)) == {HEAD, TAIL}


def test_a_mixed_draw_takes_the_side_that_has_something_left() -> None:
    train = [(0, 0, 0), (0, 0, 1), (0, 0, 2), (1, 0, 1)]
    store = TripleStore.from_triples(train, entities=3, relations=2)
    sampler = Sampler(store, entity_negatives=3)
    found = sampler.draw(np.array([0, 1, 2]), epoch=0, first=0)
    assert (found.slot == HEAD).all()
    assert (found.negative[1] == 2).all()
    with pytest.raises(
        ValueError, match=r"found no tail to corrupt .* draw unfiltered \(filtered=F"
    ):
        sampler.draw(np.array([3, 1]), epoch=0, first=0, side="tail")


@pytest.mark.parametrize(("side", "missing"), [("mixed", "head or tail"), ("head", "head")])
def test_a_triple_with_nothing_left_is_named_with_the_way_out(
    side: CorruptedSide, missing: str
) -> None:
    complete = [(h, 0, t) for h in range(3) for t in range(3)]
    store = TripleStore.from_triples(complete, entities=3, relations=1)
    with pytest.raises(ValueError, match=f"found no {missing} to corrupt the triple") as info:
        Sampler(store).draw(np.array([5]), epoch=0, first=0, side=side)
    assert "(head 1, relation 0, tail 2)" in str(info.value)
    assert "draw unfiltered (filtered=False)" in str(info.value)
    with pytest.raises(ValueError, match="found no relation to corrupt the triple"):
        Sampler(store, entity_negatives=0, relation_negatives=1).draw(
            np.array([5]), epoch=0, first=0
        )
    assert Sampler(store, filtered=False).draw(np.array([5]), epoch=0, first=0).negative.size
    shared = Sampler(store, entity_negatives=3, shared=True).draw(np.array([5]), epoch=0, first=0)
    assert shared.mask is not None
    assert shared.mask.all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"entity_negatives": 13},
            "entity_negatives is 13; expected at most 12, the number of ent",
        ),
        ({"relation_negatives": 6}, "relation_negatives is 6; expected at most 5, the number of r"),
        ({"entity_negatives": -1}, "entity_negatives is -1; expected 0 or more"),
        (
            {"shared": True, "relation_negatives": 1},
            "relation_negatives is 1; expected 0, as shared",
        ),
        ({"seed": -1}, "seed is -1, expected 0 to 18446744073709551615"),
        ({"threads": -1}, r"threads is -1, expected 0 \(all processors\) or more"),
        (
            {"entity_negatives": 2**64 + 1},
            "found 18446744073709551617 for an integer of the core",
        ),
    ],
)
def test_bad_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sampler(star(), **options)


def test_bad_batches_are_refused() -> None:
    sampler = Sampler(star())
    rows = np.array([0, 9])
    with pytest.raises(ValueError, match=r"rows\[1\] is 9; expected 0 to 8, the train triples"):
        sampler.draw(rows, epoch=0, first=0)
    with pytest.raises(ValueError, match=r"rows\[0\] is -1; expected 0 to 8"):
        sampler.draw(-rows[1:] // 9, epoch=0, first=0)
    with pytest.raises(ValueError, match=r"found rows of shape \(1, 2\), expected \[b\]"):
        sampler.draw(rows[None], epoch=0, first=0)
    with pytest.raises(
        ValueError, match="found the side 'both', expected one of head, tail, mixed"
    ):
        sampler.draw(rows[:1], epoch=0, first=0, side="both")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="epoch is -1; expected 0 or more"):
        sampler.draw(rows[:1], epoch=-1, first=0)
    for first in (-1, 2**63 - 1):
        with pytest.raises(ValueError, match=f"first is {first}; expected 0 to {2**63 - 2}"):
            sampler.draw(rows[:1], epoch=0, first=first)
    with pytest.raises(ValueError, match="epoch is -1; expected 0 or more"):
        sampler.order(-1)


@pytest.mark.parametrize("shared", [False, True])
def test_an_empty_batch_is_fine(shared: bool) -> None:
    sampler = Sampler(star(), entity_negatives=3, shared=shared)
    found = sampler.draw(np.empty(0, np.int64), epoch=0, first=0)
    assert found.positive.shape == (0, 3)
    assert found.negative.shape == ((3,) if shared else (0, 3))


def test_a_sampler_outlives_its_store() -> None:
    store = star()
    sampler = Sampler(store, entity_negatives=4)
    before = draw_all(sampler)
    del store
    gc.collect()
    assert same(before, draw_all(sampler))


@given(graphs(max_entities=3))
def test_relation_negatives_alone_need_no_entities(graph: Graph) -> None:
    assume(graph.relations > 1)
    sampler = Sampler(graph.store(), entity_negatives=0, relation_negatives=1, filtered=False)
    found = draw_all(sampler, side="tail")
    assert (found.slot == RELATION).all()


def test_one_slot_for_all_negatives_of_a_positive() -> None:
    store = star()
    sampler = Sampler(store, seed=3, entity_negatives=6, one_slot=True, filtered=False)
    slots = np.concatenate([draw_all(sampler, epoch).slot for epoch in range(40)])
    assert (slots == slots[:, :1]).all()
    assert set(slots[:, 0]) == {HEAD, TAIL}
    each = Sampler(store, seed=3, entity_negatives=6, filtered=False)
    assert (draw_all(each).slot != draw_all(each).slot[:, :1]).any()


def test_one_slot_by_bernoulli() -> None:
    store = star()
    sampler = Sampler(store, seed=3, entity_negatives=2, one_slot=True, bernoulli=True)
    drawn = [draw_all(sampler, epoch) for epoch in range(400)]
    slot = np.concatenate([d.slot[:, 0] for d in drawn])
    relation = np.concatenate([d.positive[:, 1] for d in drawn])
    tails, heads = store.relation_statistics()
    expected = tails[0] / (tails[0] + heads[0])
    found = (slot[relation == 0] == HEAD).mean()
    assert abs(found - expected) < 4 * (expected * (1 - expected) / (relation == 0).sum()) ** 0.5
