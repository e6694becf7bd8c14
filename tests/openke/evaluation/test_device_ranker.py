"""Counts made by PyTorch are those of the core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import SPLITS, Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.evaluation import device_ranker, tester
from openke.evaluation.candidates import Candidates
from openke.evaluation.core_ranker import CoreRanker
from openke.evaluation.device_ranker import DeviceRanker
from openke.evaluation.queries import Queries
from openke.evaluation.ranker import count_better
from tests.contracts.graphs import CASES, build, graph
from tests.openke.data.graphs import Graph, graphs, split_sets
from tests.openke.evaluation.test_tester import Constant

SLOTS: tuple[Slot, ...] = ("head", "relation", "tail")
CPU = torch.device("cpu")


def there(
    store: TripleStore,
    slot: Slot,
    asked: Queries,
    splits: tuple[Split, ...] = SPLITS,
    constraint: TypeConstraint | None = None,
) -> DeviceRanker:
    """Return the ranker of a GPU, on the CPU; it is made as the core's is."""
    return DeviceRanker(asked, Candidates.of(store, slot, asked, splits, constraint), CPU)


@given(graphs(), split_sets(), st.sampled_from(SLOTS), st.data())
def test_counts_are_those_of_the_core(
    drawn: Graph, splits: tuple[Split, ...], slot: Slot, data: st.DataObject
) -> None:
    store = drawn.store()
    width = drawn.relations if slot == "relation" else drawn.entities
    triple = st.tuples(
        st.integers(0, drawn.entities - 1),
        st.integers(0, drawn.relations - 1),
        st.integers(0, drawn.entities - 1),
    )
    # Known facts and others, so that an answer may be known, or not be admitted, or neither.
    triples = np.array(
        data.draw(st.lists(triple | st.sampled_from(drawn.rows["train"]), min_size=1, max_size=20)),
        np.int64,
    )
    asked = Queries.of(triples, slot)
    constraint = None
    if slot != "relation" and data.draw(st.booleans()):
        constraint = TypeConstraint.from_store(store, data.draw(split_sets()))
    queries = len(asked.distinct)
    values = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 2.0, np.inf])
    row = st.lists(values, min_size=width, max_size=width)
    scores = torch.tensor(
        data.draw(st.lists(row, min_size=queries, max_size=queries)), dtype=torch.float32
    )
    before, block = scores.clone(), data.draw(st.integers(1, queries))
    arguments = store, slot, asked, splits, constraint
    rankers = there(*arguments), CoreRanker(*arguments)
    with pytest.MonkeyPatch.context() as patch:
        reals = data.draw(st.integers(1, 12 * width))
        patch.setattr(device_ranker, "chunk_reals", lambda _: reals)
        for start in range(0, queries, block):
            for ranker in rankers:
                ranker.count(start, scores[start : start + block])
    found, expected = (ranker.fetch() for ranker in rankers)
    assert np.array_equal(found, expected)
    assert torch.equal(scores, before)
    # Where all score alike, all other candidates tie with the answer.
    alike = there(*arguments)
    alike.count(0, torch.zeros_like(scores))
    count = Candidates.of(*arguments).count(asked)
    assert np.array_equal(alike.fetch(), [np.zeros_like(count), count - 1])


@pytest.mark.parametrize("constrained", [False, True])
@pytest.mark.parametrize("splits", [(), ("train",), SPLITS])
@pytest.mark.parametrize("slot", SLOTS)
def test_counts_of_a_real_split_are_those_of_the_core(
    datasets: Path, slot: Slot, splits: tuple[Split, ...], constrained: bool
) -> None:
    if slot == "relation" and constrained:
        return
    store = TripleStore.open(datasets / "MKG-Y")
    asked = Queries.of(store.triples("test")[:400], slot)
    constraint = TypeConstraint.from_store(store, ("train",)) if constrained else None
    ranker = there(store, slot, asked, splits, constraint)
    width = ranker.candidates.width
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 50, (len(asked.distinct), width)).astype(np.float32)
    for start in range(0, len(scores), 64):
        ranker.count(start, torch.from_numpy(scores[start : start + 64]))
    query = asked.query, asked.first, asked.second, asked.target
    options = dict(zip(("row", "first", "second", "target"), query, strict=True))
    expected = count_better(store, slot, scores, **options, splits=splits, constraint=constraint)
    assert np.array_equal(ranker.fetch(), expected)
    zeros = np.zeros_like(scores)
    _, others = count_better(store, slot, zeros, **options, splits=splits, constraint=constraint)
    assert np.array_equal(ranker.candidates.count(asked), others + 1)


def line() -> TripleStore:
    """Return a store of 5 entities where (0, 0, ?) has the tails 1, 2 and 3, in three splits."""
    return TripleStore.from_triples(
        [(0, 0, 1), (4, 1, 4)], [(0, 0, 2)], [(0, 0, 3)], entities=5, relations=2
    )


def two_queries() -> tuple[TripleStore, Queries]:
    """Return (0, 0, ?) and (4, 1, ?) of the line."""
    return line(), Queries.of(np.array([[0, 0, 3], [4, 1, 4]]), "tail")


@pytest.mark.parametrize("place", range(5))
def test_a_nan_is_an_error_wherever_it_is(place: int) -> None:
    store, asked = two_queries()
    scores = torch.zeros(2, 5)
    scores[1, place] = torch.nan
    ranker = there(store, "tail", asked, constraint=TypeConstraint.from_store(store))
    ranker.count(0, scores[:1])
    assert ranker.fetch().tolist() == [[0, 0], [0, 0]]
    ranker.count(1, scores[1:])
    message = "found NaN scores among the 5 candidates of scores row 1, expected numbers: the model"
    with pytest.raises(ValueError, match=message):
        ranker.fetch()


def test_scores_are_compared_in_float32() -> None:
    store, asked = two_queries()
    close = torch.tensor([[1, 1 + 1e-12, 1, 1, 2], [0, 0, 0, 1e-12, 0]], dtype=torch.float64)
    for scores in (close, close.bfloat16(), close[:1].expand(2, 5), close.t().contiguous().t()):
        rankers = there(store, "tail", asked, ()), CoreRanker(store, "tail", asked, (), None)
        for ranker in rankers:
            ranker.count(0, scores)
        assert np.array_equal(*(ranker.fetch() for ranker in rankers))
    ranker = there(store, "tail", asked, ())
    ranker.count(0, close)
    assert ranker.fetch().tolist() == [[1, 1], [3, 3]]


def test_what_was_not_counted_is_zero() -> None:
    ranker = there(*two_queries()[:1], "tail", two_queries()[1])
    ranker.count(1, torch.zeros(1, 5))
    assert ranker.fetch().tolist() == [[0, 0], [0, 4]]


def test_unknown_splits_are_refused() -> None:
    store, asked = two_queries()
    with pytest.raises(ValueError, match="found the split 'dev', expected one of train, valid"):
        Candidates.of(store, "tail", asked, ("dev",), None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="found the splits 'train', expected a sequence"):
        Candidates.of(store, "tail", asked, "train", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES)
def test_a_report_is_the_same(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store = graph(triples=120)
    asking = Tester(build(case), TestDataLoader(store), device="cpu", progress=False)

    def reports() -> list[list[list[int]]]:
        found = [
            asking.rank("test"),
            asking.rank("valid", filter_splits=("train",), type_constrain=True),
            asking.rank_relations("test", filter_splits=()),
        ]
        return [[x.tolist() for x in (r.greater, r.equal, r.candidates)] for r in found]

    expected = reports()
    monkeypatch.setattr(tester, "CoreRanker", there)
    assert reports() == expected


def test_a_diverged_model_is_an_error_there_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tester, "CoreRanker", there)
    store = graph()
    model = Constant(store.entity_count, store.relation_count, float("nan"))
    asking = Tester(model, TestDataLoader(store), device="cpu", progress=False)
    with pytest.raises(ValueError, match="found NaN scores among the 23 candidates of scores r"):
        asking.rank("test")
