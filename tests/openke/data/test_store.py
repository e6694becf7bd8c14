from __future__ import annotations

import re
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openke.data.name_list import NameList
from openke.data.store import SPLITS, Slot, Split, TripleStore
from tests.openke.data.graphs import Graph, graphs, split_sets

FILES = {
    "entity2id.txt": "3\nanna\t0\nbob\t1\nnew york\t2\n",
    "relation2id.txt": "2\nknows\t0\nlives in\t1\n",
    "train2id.txt": "3\n0 1 0\n0 2 1\n0 1 0\n",
    "valid2id.txt": "1\n1 2 1\n",
    "test2id.txt": "1\n1 0 0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    directory = tmp_path / "small"
    directory.mkdir()
    for name, content in FILES.items():
        (directory / name).write_bytes(content.encode())
    return directory


def facts(store: TripleStore, split: Split) -> set[tuple[int, ...]]:
    return set(map(tuple, store.triples(split).tolist()))


def test_a_folder_is_read(folder: Path) -> None:
    store = TripleStore.open(folder)
    assert (store.entity_count, store.relation_count) == (3, 2)
    assert store.entity_names == ["anna", "bob", "new york"]
    assert store.relation_names == ["knows", "lives in"]
    # The files have the tail before the relation.
    assert store.triples("train").tolist() == [[0, 0, 1], [0, 1, 2]]
    assert store.multiplicity("train").tolist() == [2, 1]
    assert [store.rows(split) for split in SPLITS] == [3, 1, 1]
    assert store.triples("valid").tolist() == [[1, 1, 2]]
    assert (store.name, store.directory, store.held_out) == ("small", folder, None)
    assert "small" in repr(store)
    assert "3 entities" in repr(store)


def test_triples_are_cached_and_read_only(folder: Path) -> None:
    store = TripleStore.open(folder)
    triples = store.triples("train")
    assert triples is store.triples("train")
    assert triples.dtype == np.int64
    with pytest.raises(ValueError, match="read-only"):
        triples[0, 0] = 1


def test_names_are_a_sequence(folder: Path) -> None:
    names = TripleStore.open(folder).entity_names
    assert isinstance(names, NameList)
    assert names[-1] == names[2] == "new york"
    assert names[:2] == ["anna", "bob"]
    assert names.index("bob") == 1
    assert list(names) == ["anna", "bob", "new york"]
    assert names != ["anna"]
    assert repr(names) == "<3 names: anna, bob, new york>"
    with pytest.raises(IndexError):
        names[3]


def test_a_name_file_may_hold_a_count_only(folder: Path) -> None:
    (folder / "entity2id.txt").write_text("3\n")
    (folder / "relation2id.txt").write_text("2\n\n")
    store = TripleStore.open(folder)
    assert (store.entity_names, store.relation_names) == (None, None)
    assert (store.entity_count, store.relation_count) == (3, 2)


def test_marks_line_ends_and_trailing_blanks_do_not_matter(folder: Path) -> None:
    plain = TripleStore.open(folder)
    for name, content in FILES.items():
        odd = content.replace("\n", " \t\r\n") + "\r\n  \n"
        (folder / name).write_bytes(b"\xef\xbb\xbf" + odd.encode())
    odd_store = TripleStore.open(folder)
    assert odd_store.fingerprint == plain.fingerprint
    assert odd_store.entity_names == plain.entity_names


def test_other_files_may_stand_in(folder: Path) -> None:
    (folder / "less.txt").write_text("1\n2 1 1\n")
    store = TripleStore.open(folder, train_file="less.txt", valid_file=folder / "less.txt")
    assert store.triples("train").tolist() == store.triples("valid").tolist() == [[2, 1, 1]]
    with pytest.raises(FileNotFoundError, match=r"gone\.txt: found no such file"):
        TripleStore.open(folder, test_file="gone.txt")


def test_paths_may_hold_any_letters(folder: Path) -> None:
    other = folder.rename(folder.parent / "größe 大小")
    assert TripleStore.open(other).name == "größe 大小"


BAD_FILES = {
    "rows disagree with the count": (
        "train2id.txt",
        "4\n0 1 0\n0 2 1\n0 1 0\n",
        "train2id.txt:1: found a count of 4, expected 3: the file has 3 rows after its first line",
    ),
    "no count": (
        "train2id.txt",
        "a\n",
        "train2id.txt:1: found 'a', expected the number of triples",
    ),
    "empty file": ("test2id.txt", "", "test2id.txt:1: found an empty file, expected the number"),
    "no train triples": ("train2id.txt", "0\n", "train2id.txt:1: found 0 triples, expected at"),
    "too few fields": (
        "train2id.txt",
        "2\n0 1 0\n0 2\n",
        "train2id.txt:3: found 2 fields ('0 2'), expected 3 fields: head, tail and relation",
    ),
    "too many fields": (
        "train2id.txt",
        "1\n0 1 0 4\n",
        "train2id.txt:2: found 4 fields ('0 1 0 4')",
    ),
    "not a number": (
        "valid2id.txt",
        "1\n0 bob 0\n",
        "valid2id.txt:2: found tail 'bob', expected a whole number: 0 to 2 (entity2id.txt has 3",
    ),
    "negative id": (
        "train2id.txt",
        "1\n-1 1 0\n",
        "train2id.txt:2: found head -1, expected 0 to 2",
    ),
    "entity out of range": (
        "test2id.txt",
        "1\n0 3 0\n",
        "test2id.txt:2: found tail 3, expected 0 to 2 (entity2id.txt has 3 entities)",
    ),
    "relation out of range": (
        "train2id.txt",
        "1\n0 1 2\n",
        "train2id.txt:2: found relation 2, expected 0 to 1 (relation2id.txt has 2 relations)",
    ),
    "overflow": (
        "train2id.txt",
        "1\n18446744073709551617 1 0\n",
        "train2id.txt:2: found head 18446744073709551617, expected 0 to 2",
    ),
    "count overflow": (
        "entity2id.txt",
        "18446744073709551617\n",
        "entity2id.txt:1: found '18446744073709551617', expected at most 2147483647 entities",
    ),
    "name listed twice": (
        "entity2id.txt",
        "3\nanna\t0\nbob\t1\nanna\t2\n",
        "entity2id.txt:4: found the name 'anna' again, expected each name once: it is on line 2",
    ),
    "id listed twice": (
        "relation2id.txt",
        "2\nknows\t0\nlives in\t0\n",
        "relation2id.txt:3: found id 0 again, expected each id once: it is on line 2 already",
    ),
    "id missing": (
        "entity2id.txt",
        "3\nanna\t0\nbob\t2\n",
        "entity2id.txt:1: found a count of 3, expected 2",
    ),
    "count of entities beyond all ids": (
        "entity2id.txt",
        "2000000000\n",
        "entity2id.txt:1: found a count of 2000000000 entities without names, expected about 3: "
        "the largest id in the triples is 2; write the right count, or list the names",
    ),
    "count of relations beyond all ids": (
        "relation2id.txt",
        "2000000000\n",
        "relation2id.txt:1: found a count of 2000000000 relations without names, expected about 2",
    ),
    "nul in a name": (
        "entity2id.txt",
        "3\nan\0na\t0\nbob\t1\ncleo\t2\n",
        "entity2id.txt:2: found a name with a NUL character, expected names without",
    ),
    "not utf-8": (
        "entity2id.txt",
        "1\ncaf\udce9\t0\n",
        "entity2id.txt:2: found a name that is not",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_is_named_with_line_and_value(
    folder: Path, name: str, content: str, message: str
) -> None:
    (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match="expected") as info:
        TripleStore.open(folder)
    assert str(folder / message) in str(info.value)


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match="found no such folder, expected one with entity2id"
    ):
        TripleStore.open(folder / "deeper")
    for name in ("train2id.txt", "entity2id.txt", "relation2id.txt"):
        TripleStore.open(folder)
        (folder / name).rename(folder / "away")
        with pytest.raises(
            FileNotFoundError, match=f"{name}: found no such file; expected"
        ) as info:
            TripleStore.open(folder)
        assert "which has" in str(info.value)
        (folder / "away").rename(folder / name)


@pytest.mark.parametrize("name", ["valid2id.txt", "train2id.txt", "entity2id.txt"])
def test_a_link_to_nothing_is_no_empty_split(folder: Path, name: str) -> None:
    target = folder.parent / "away.txt"
    (folder / name).rename(target)
    (folder / name).symlink_to(target)
    TripleStore.open(folder)
    target.unlink()
    message = f"{folder / name}: found a link to {target}, which is not there; expected a file, or"
    with pytest.raises(FileNotFoundError, match=re.escape(message)):
        TripleStore.open(folder)


def test_missing_valid_and_test_files_are_empty_splits(folder: Path) -> None:
    (folder / "valid2id.txt").unlink()
    (folder / "test2id.txt").write_text("0\n")
    store = TripleStore.open(folder)
    assert store.triples("valid").shape == store.triples("test").shape == (0, 3)
    store.require("train")
    with pytest.raises(ValueError, match=r"valid split is empty: .*valid2id.txt is missing; give"):
        store.require("valid")
    with pytest.raises(ValueError, match=r"test2id.txt has no triples; give one, .*openke import"):
        store.require("test")


def test_an_unknown_split_or_slot_lists_the_known_ones(folder: Path) -> None:
    store = TripleStore.open(folder)
    unknown: Any = "dev"
    for ask in (store.triples, store.rows, store.multiplicity, store.require):
        with pytest.raises(ValueError, match="found the split 'dev', expected one of train, valid"):
            ask(unknown)
    with pytest.raises(ValueError, match="found the slot 'dev', expected one of head, relation"):
        store.known(unknown, 0, 0)
    with pytest.raises(ValueError, match="found the split 'dev'"):
        store.known("tail", 0, 0, [unknown])
    with pytest.raises(ValueError, match=r"found the splits 'train', expected a sequence"):
        store.known("tail", 0, 0, "train")  # type: ignore[arg-type]


def test_ids_of_a_query_are_checked(folder: Path) -> None:
    store = TripleStore.open(folder)
    with pytest.raises(ValueError, match=r"first is 3; expected 0 to 2 \(entity2id.txt has 3 ent"):
        store.known("tail", 3, 0)
    with pytest.raises(ValueError, match=r"second is -1; expected 0 to 1 \(relation2id.txt has 2"):
        store.known("head", 0, -1)
    with pytest.raises(ValueError, match="found 18446744073709551616 for an integer of the core"):
        store.known("head", 2**64, 0)


@given(graphs())
def test_splits_keep_the_first_of_equal_rows(graph: Graph) -> None:
    store = graph.store()
    for split in SPLITS:
        counts = Counter(graph.rows[split])  # keeps the order of first occurrence
        assert list(map(tuple, store.triples(split).tolist())) == list(counts)
        assert store.multiplicity(split).tolist() == list(counts.values())
        assert store.rows(split) == len(graph.rows[split])


@given(graphs(), split_sets(), st.data())
def test_known_answers_are_those_of_brute_force(
    graph: Graph, splits: tuple[Split, ...], data: st.DataObject
) -> None:
    store = graph.store()
    first = data.draw(st.integers(0, graph.entities - 1))
    slots: tuple[Slot, ...] = ("head", "relation", "tail")
    for slot in slots:
        bound = graph.entities if slot == "relation" else graph.relations
        second = data.draw(st.integers(0, bound - 1))
        expected = sorted(graph.answers(slot, first, second, splits))
        assert store.known(slot, first, second, splits).tolist() == expected


def test_known_answers_are_sorted_across_splits() -> None:
    store = TripleStore.from_triples(
        [(0, 0, 4), (0, 0, 2)], [(0, 0, 3), (0, 0, 4)], [(0, 0, 1)], entities=5, relations=1
    )
    assert store.known("tail", 0, 0).tolist() == [1, 2, 3, 4]
    assert store.known("tail", 0, 0, ("valid",)).tolist() == [3, 4]
    assert store.known("tail", 0, 0, ()).tolist() == []


@given(graphs())
def test_relation_statistics_are_means_over_train(graph: Graph) -> None:
    found = graph.store().relation_statistics()
    train = set(graph.rows["train"])
    for relation in range(graph.relations):
        triples = [row for row in train if row[1] == relation]
        heads, tails = {row[0] for row in triples}, {row[2] for row in triples}
        assert found.tails_per_head[relation] == pytest.approx(
            len(triples) / len(heads) if heads else 0
        )
        assert found.heads_per_tail[relation] == pytest.approx(
            len(triples) / len(tails) if tails else 0
        )


@given(graphs(max_rows=80), st.floats(0.01, 0.99), st.integers(0, 2**64 - 1))
def test_held_out_triples_leave_something_of_all_their_parts(
    graph: Graph, fraction: float, seed: int
) -> None:
    store = graph.store()
    held = store.hold_out(fraction, seed)
    train, valid = facts(held, "train"), facts(held, "valid")
    assert train | valid == facts(store, "train")
    assert not train & valid
    assert len(valid) <= fraction * len(train | valid)
    assert facts(held, "test") == facts(store, "test")
    assert held.rows("train") + held.rows("valid") == store.rows("train")
    assert {x for h, _, t in valid for x in (h, t)} <= {x for h, _, t in train for x in (h, t)}
    assert {r for _, r, _ in valid} <= {r for _, r, _ in train}
    assert held.held_out == (fraction, seed)
    assert store.hold_out(fraction, seed).fingerprint == held.fingerprint


def test_hold_out_takes_all_it_may_and_depends_on_the_seed(folder: Path) -> None:
    complete = [(h, 0, t) for h in range(20) for t in range(20)]
    store = TripleStore.from_triples(complete, complete[:3], entities=20, relations=1)
    held = store.hold_out(0.1, seed=1)
    assert [len(held.triples(split)) for split in SPLITS] == [360, 40, 0]
    assert held.fingerprint != store.hold_out(0.1, seed=2).fingerprint
    small = TripleStore.open(folder)
    held = small.hold_out(0.5)
    assert held.directory == folder
    assert held.entity_names == small.entity_names
    with pytest.raises(ValueError, match="no triple could be held out of train with fraction"):
        held.require("valid")


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_hold_out_refuses_other_fractions(folder: Path, fraction: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0 and less than 1"):
        TripleStore.open(folder).hold_out(fraction)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_has_64_bits(folder: Path, seed: int) -> None:
    with pytest.raises(ValueError, match=f"seed is {seed}, expected 0 to 18446744073709551615"):
        TripleStore.open(folder).hold_out(0.1, seed)


def test_a_store_from_arrays() -> None:
    store = TripleStore.from_triples(
        np.array([[0, 1, 2]], np.int32), None, [], entities=["a", "b", "c"], relations=2
    )
    assert (store.name, store.directory) == ("memory", None)
    assert store.entity_names == ("a", "b", "c")
    assert store.relation_names is None
    assert store.triples("train").tolist() == [[0, 1, 2]]
    with pytest.raises(ValueError, match="the test split is empty: no test triples were given"):
        store.require("test")


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ([], "the train split has no triples; expected at least 1"),
        (
            [(0, 0)],
            r"train: found an array of shape \(1, 2\), expected rows of \(head, relation, ta",
        ),
        ([0, 0, 0], r"train: found an array of shape \(3,\)"),
        ([(0.0, 0.0, 1.0)], "train: found ids of type float64, expected integers"),
        ([(0, 0, 1), (0, 0, 3)], r"train row 1: found tail 3, expected 0 to 2 \(there are 3 ent"),
        ([(0, -1, 1)], r"train row 0: found relation -1, expected 0 to 0"),
        (np.array([[0, 0, 2**64 - 1]], np.uint64), "found an id of 18446744073709551615, expected"),
    ],
)
def test_bad_arrays_are_refused(train: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TripleStore.from_triples(train, entities=3, relations=1)


def test_bad_counts_and_names_are_refused() -> None:
    with pytest.raises(ValueError, match="the number of entities is 0; expected 1 to 2147483647"):
        TripleStore.from_triples([(0, 0, 0)], entities=0, relations=1)
    with pytest.raises(
        ValueError, match="relations: found the name 'a' at 0 and at 2, expected ea"
    ):
        TripleStore.from_triples([(0, 0, 0)], entities=1, relations=["a", "b", "a"])


def test_fingerprints_tell_stores_apart() -> None:
    def fingerprint(train: list[Any], test: list[Any], entities: int) -> str:
        return TripleStore.from_triples(
            train, test=test, entities=entities, relations=1
        ).fingerprint

    first = fingerprint([(0, 0, 1), (1, 0, 0)], [(0, 0, 0)], 2)
    assert first == fingerprint([(0, 0, 1), (0, 0, 1), (1, 0, 0)], [(0, 0, 0)], 2)
    assert len(first) == 64
    others = {
        first,
        fingerprint([(1, 0, 0), (0, 0, 1)], [(0, 0, 0)], 2),
        fingerprint([(0, 0, 1), (1, 0, 0)], [(0, 0, 0)], 3),
        fingerprint([(0, 0, 1)], [(1, 0, 0), (0, 0, 0)], 2),
    }
    assert len(others) == 4


def test_two_stores_live_side_by_side_and_threads_share_one(folder: Path) -> None:
    first = TripleStore.open(folder)
    second = TripleStore.from_triples([(0, 0, 1)], entities=2, relations=1)
    found = []

    def ask() -> None:
        found.append(first.known("relation", 0, 1).tolist())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[0]] * 8
    assert second.known("tail", 0, 0).tolist() == [1]


@pytest.mark.parametrize(
    ("name", "entities", "relations", "rows"),
    [
        ("DB15K", 12_842, 279, (79_222, 9_904, 9_902)),
        ("MKG-W", 15_000, 169, (34_196, 4_276, 4_274)),
        ("MKG-Y", 15_000, 28, (21_310, 2_665, 2_663)),
    ],
)
def test_the_real_data_sets(
    datasets: Path, name: str, entities: int, relations: int, rows: tuple[int, int, int]
) -> None:
    store = TripleStore.open(datasets / name)
    assert (store.entity_count, store.relation_count) == (entities, relations)
    assert tuple(store.rows(split) for split in SPLITS) == rows
    assert store.entity_names is not None
    assert len(set(store.entity_names)) == entities
    assert not facts(store, "train") & facts(store, "test")


def test_the_validation_defect_of_db15k(datasets: Path) -> None:
    store = TripleStore.open(datasets / "DB15K")
    train, valid, test = (facts(store, split) for split in SPLITS)
    assert len(valid) == len(store.triples("valid")) == 7_481
    assert store.multiplicity("valid").sum() == 9_904
    assert (len(valid & train), len(valid & test), len(valid - train - test)) == (6_584, 824, 73)
    clean = store.hold_out(0.1, seed=0)
    assert len(clean.triples("valid")) == 7_922
    assert not facts(clean, "valid") & facts(clean, "train")
