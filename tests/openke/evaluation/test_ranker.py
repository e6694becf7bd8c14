from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openke.data.store import Slot, Split, TripleStore
from openke.data.type_constraint import TypeConstraint
from openke.evaluation.ranker import count_better
from tests.openke.data.graphs import Graph, graphs, split_sets

SLOTS: tuple[Slot, ...] = ("head", "relation", "tail")


def line() -> TripleStore:
    """Return a store of 5 entities where (0, 0, ?) has the tails 1, 2 and 3, in three splits."""
    return TripleStore.from_triples(
        [(0, 0, 1), (4, 1, 4)], [(0, 0, 2)], [(0, 0, 3)], entities=5, relations=2
    )


def ask(store: TripleStore, scores: list[float], target: int, **options: Any) -> tuple[int, int]:
    """Count for the query (0, 0, ?)."""
    greater, equal = count_better(
        store,
        "tail",
        np.array([scores], np.float32),
        row=[0],
        first=[0],
        second=[0],
        target=[target],
        **options,
    )
    return int(greater[0]), int(equal[0])


@given(graphs(), split_sets(), st.sampled_from(SLOTS), st.data())
def test_counts_are_those_of_brute_force(
    graph: Graph, splits: tuple[Split, ...], slot: Slot, data: st.DataObject
) -> None:
    store = graph.store()
    candidates = graph.relations if slot == "relation" else graph.entities
    seconds = graph.entities if slot == "relation" else graph.relations
    values = st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, np.inf])
    scores = data.draw(
        st.lists(st.lists(values, min_size=candidates, max_size=candidates), min_size=1, max_size=3)
    )
    query = st.tuples(
        st.integers(0, len(scores) - 1),
        st.integers(0, graph.entities - 1),
        st.integers(0, seconds - 1),
        st.integers(0, candidates - 1),
    )
    queries = data.draw(st.lists(query, max_size=20))
    constraint = None
    if slot != "relation" and data.draw(st.booleans()):
        constraint = TypeConstraint.from_store(store, data.draw(split_sets()))
    row, first, second, target = (np.array([q[i] for q in queries], np.int64) for i in range(4))
    greater, equal = count_better(
        store,
        slot,
        np.array(scores, np.float32),
        row=row,
        first=first,
        second=second,
        target=target,
        splits=splits,
        constraint=constraint,
        threads=2,
    )
    for i, (r, a, b, t) in enumerate(queries):
        kept = set(range(candidates)) - graph.answers(slot, a, b, splits) - {t}
        if constraint is not None:
            kept &= set(constraint.allowed(slot, b).tolist())
        assert greater[i] == sum(scores[r][c] > scores[r][t] for c in kept)
        assert equal[i] == sum(scores[r][c] == scores[r][t] for c in kept)


@given(graphs(), split_sets())
def test_a_constraint_admits_what_the_splits_have(graph: Graph, splits: tuple[Split, ...]) -> None:
    constraint = TypeConstraint.from_store(graph.store(), splits)
    rows = [row for split in splits for row in graph.rows[split]]
    for relation in range(graph.relations):
        heads = sorted({h for h, r, _ in rows if r == relation})
        tails = sorted({t for _, r, t in rows if r == relation})
        assert constraint.allowed("head", relation).tolist() == heads
        assert constraint.allowed("tail", relation).tolist() == tails


def test_what_is_left_out_depends_on_the_splits() -> None:
    store, scores = line(), [9.0, 3.0, 2.0, 1.0, 1.0]
    assert ask(store, scores, 3, splits=()) == (3, 1)
    assert ask(store, scores, 3, splits=("train",)) == (2, 1)
    assert ask(store, scores, 3, splits=("train", "valid")) == (1, 1)
    assert ask(store, scores, 3) == (1, 1)
    # Train alone admits the tail 1 for relation 0, which is known; the target is ranked anyway.
    constraint = TypeConstraint.from_store(store, ("train",))
    assert constraint.source == "train"
    assert ask(store, scores, 3, splits=(), constraint=constraint) == (1, 0)
    assert ask(store, scores, 3, constraint=constraint) == (0, 0)
    # All splits admit 1, 2 and 3.
    constraint = TypeConstraint.from_store(store)
    assert constraint.source == "train, valid, test"
    assert ask(store, scores, 3, splits=(), constraint=constraint) == (2, 0)


def test_constant_scores_tie_with_everything() -> None:
    assert ask(line(), [0.0] * 5, 3, splits=()) == (0, 4)
    assert ask(line(), [0.0] * 5, 3) == (0, 2)


def test_a_nan_is_an_error_wherever_it_is() -> None:
    for place in range(5):
        scores = [0.0, 1.0, 2.0, 3.0, 4.0]
        scores[place] = float("nan")
        with pytest.raises(
            ValueError, match="found 1 NaN scores among the 5 candidates of scores r"
        ):
            ask(line(), scores, 3, constraint=TypeConstraint.from_store(line()))
    # A row that no query asks for may hold anything.
    scores_of_two = np.array([[0.0] * 5, [np.nan] * 5], np.float32)
    count_better(line(), "tail", scores_of_two, row=[0], first=[0], second=[0], target=[1])


def test_counts_do_not_depend_on_threads(datasets: Path) -> None:
    store = TripleStore.open(datasets / "MKG-Y")
    test = store.triples("test")[:300]
    random = np.random.default_rng(0)
    scores = random.integers(0, 50, (8, store.entity_count)).astype(np.float32)
    found = [
        count_better(
            store,
            "head",
            scores,
            row=np.arange(300) % 8,
            first=test[:, 2],
            second=test[:, 1],
            target=test[:, 0],
            threads=threads,
        )
        for threads in (1, 2, 5, 0)
    ]
    for other in found[1:]:
        assert np.array_equal(found[0], other)
    sums = np.add(*found[0])
    assert sums.max() < store.entity_count


def test_bad_queries_are_refused() -> None:
    store = line()
    scores = np.zeros((2, 5), np.float32)
    good: dict[str, Any] = {"row": [0], "first": [0], "second": [0], "target": [1]}

    def refused(message: str, scores: Any = scores, slot: Any = "tail", **change: Any) -> None:
        with pytest.raises(ValueError, match=message):
            count_better(store, slot, scores, **{**good, **change})

    refused(r"row\[0\] is 2; expected 0 to 1, the rows of scores", row=[2])
    refused(r"first is 5; expected 0 to 4 \(there are 5 entities\)", first=[5])
    refused(r"second is 2; expected 0 to 1 \(there are 2 relations\)", second=[2])
    refused(r"target is -1; expected 0 to 4 \(there are 5 entities\)", target=[-1])
    refused("found 1 of row, 2 of first, 1 of second, 1 of target, expected as many", first=[0, 0])
    refused(r"found first of shape \(1,\) and type float64, expected whole numbers", first=[0.5])
    refused(r"found first of shape \(1, 1\) and type int64, expected whole numbers", first=[[0]])
    refused(r"found scores of shape \(2, 4\), expected \[rows, 5\]: one for each e", scores[:, :4])
    refused(
        r"found scores of shape \(2, 5\), expected \[rows, 2\]: one for each r", slot="relation"
    )
    refused("found an array of float64, expected float32", scores.astype(np.float64))
    refused("expected a C-contiguous one", np.zeros((5, 2), np.float32).T)
    refused("found the slot 'both', expected one of head, relation, tail", slot="both")
    refused("found the split 'dev', expected one of train, valid, test", splits=["dev"])
    refused(r"threads is -1; expected 0 \(all processors\) or more", threads=-1)
    constraint = TypeConstraint.from_store(store)
    refused(
        "expected none where relations are ranked",
        np.zeros((2, 2), np.float32),
        "relation",
        constraint=constraint,
    )
    other = TripleStore.from_triples([(0, 0, 0)], entities=4, relations=2)
    refused(
        "the type constraint is for 4 entities and 2 relations; expected the store's 5 and 2",
        constraint=TypeConstraint.from_store(other),
    )


def test_no_query_has_no_answer() -> None:
    greater, equal = count_better(
        line(), "tail", np.zeros((0, 5), np.float32), row=[], first=[], second=[], target=[]
    )
    assert greater.shape == equal.shape == (0,)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "entity2id.txt").write_text("5\n")
    (tmp_path / "relation2id.txt").write_text("2\n")
    (tmp_path / "train2id.txt").write_text("1\n0 1 0\n")
    (tmp_path / "type_constrain.txt").write_text("2\n0 2 3 1\n0 1 4\n1 0\r\n1\t1\t0\n")
    return tmp_path


def test_a_constraint_is_read(folder: Path) -> None:
    store = TripleStore.open(folder)
    assert TypeConstraint.of(store).source == str(folder / "type_constrain.txt")
    assert TypeConstraint.of(store).allowed("tail", 0).tolist() == [4]
    elsewhere = folder / "types.txt"
    (folder / "type_constrain.txt").rename(elsewhere)
    with pytest.raises(FileNotFoundError, match=r"type_constrain.txt: found no such file"):
        TypeConstraint.read(store)
    assert TypeConstraint.of(store).source == "train, valid, test"
    assert TypeConstraint.of(line()).allowed("tail", 0).tolist() == [1, 2, 3]
    constraint = TypeConstraint.read(store, elsewhere)
    assert constraint.source == str(elsewhere)
    assert constraint.allowed("head", 0).tolist() == [1, 3]
    assert constraint.allowed("tail", 0).tolist() == [4]
    assert constraint.allowed("head", 1).tolist() == []
    assert constraint.allowed("tail", 1).tolist() == [0]
    with pytest.raises(ValueError, match="relation is 2; expected 0 to 1"):
        constraint.allowed("tail", 2)
    with pytest.raises(ValueError, match=r"slot is 1; expected 0 \(head\) or 2 \(tail\)"):
        constraint.allowed("relation", 0)
    with pytest.raises(
        ValueError, match="found a store in memory, expected a path: it has no fold"
    ):
        TypeConstraint.read(line())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "type_constrain.txt:1: found an empty file, expected the number of relations"),
        (
            "3\n",
            "type_constrain.txt:1: found a count of 3, expected 2: 0 to 1 (relation2id.txt has",
        ),
        ("2\n0 0\n0 0\n", "type_constrain.txt:1: found a count of 2 with 2 rows, expected 4 rows"),
        ("2\n0 1 5\n0 0\n1 0\n1 0", ":2: found entity 5, expected 0 to 4 (entity2id.txt has 5 ent"),
        ("2\n0 2 1\n0 0\n1 0\n1 0", ":2: found a count of '2', expected 1: the line lists so many"),
        ("2\n0 0\n1 0\n1 0\n0 0", ":3: found relation 1, expected the relation of the line before"),
        ("2\n0 0\n0 0\n0 0\n0 0", ":4: found relation 0 again, expected each relation once: it is"),
        ("2\n0\n0 0\n1 0\n1 0", ":2: found '0', expected a relation, a count and entities"),
    ],
)
def test_a_bad_constraint_is_named_with_line_and_value(
    folder: Path, content: str, message: str
) -> None:
    (folder / "type_constrain.txt").write_text(content)
    with pytest.raises(ValueError, match="expected") as info:
        TypeConstraint.read(TripleStore.open(folder))
    assert message in str(info.value)


@pytest.mark.parametrize("slot", ["head", "tail"])
def test_real_counts_are_those_of_plain_numpy(datasets: Path, slot: Slot) -> None:
    store = TripleStore.open(datasets / "DB15K")
    test = store.triples("test")[:100]
    scores = np.random.default_rng(1).normal(size=(100, store.entity_count)).astype(np.float32)
    given_column, answer_column = (2, 0) if slot == "head" else (0, 2)
    greater, equal = count_better(
        store,
        slot,
        scores,
        row=np.arange(100),
        first=test[:, given_column],
        second=test[:, 1],
        target=test[:, answer_column],
    )
    rows = np.concatenate([store.triples("train"), store.triples("valid"), store.triples("test")])
    for i, triple in enumerate(test):
        same = (rows[:, given_column] == triple[given_column]) & (rows[:, 1] == triple[1])
        kept = np.ones(store.entity_count, bool)
        kept[rows[same, answer_column]] = False
        target = scores[i, triple[answer_column]]
        assert greater[i] == (scores[i, kept] > target).sum()
        assert equal[i] == (scores[i, kept] == target).sum() == 0
