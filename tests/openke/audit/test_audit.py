"""An audit counts what is there, and finds what was put there to be found."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openke.audit import audit as module
from openke.audit.audit import (
    AuditReport,
    Finding,
    LeakyValidationWarning,
    Overlap,
    audit,
    command,
    split_overlap,
    warn_if_leaky,
)
from openke.data.store import SPLITS, TripleStore


def _store(train: list, valid: list | None = None, test: list | None = None) -> TripleStore:
    return TripleStore.from_triples(train, valid, test, entities=6, relations=3)


def _write(folder: Path, *, names: bool = True, **splits: list[tuple[int, int, int]]) -> Path:
    """Write a data set of 6 entities and 3 relations; splits as (head, relation, tail)."""
    for what, count in (("entity", 6), ("relation", 3)):
        rows = "".join(f"{what}{i}\t{i}\n" for i in range(count)) if names else ""
        (folder / f"{what}2id.txt").write_text(f"{count}\n{rows}")
    for split, triples in splits.items():
        rows = "".join(f"{h} {t} {r}\n" for h, r, t in triples)
        (folder / f"{split}2id.txt").write_text(f"{len(triples)}\n{rows}")
    return folder


def _of(report: AuditReport, severity: str, subject: str) -> list[Finding]:
    return [f for f in report.findings if (f.severity, f.subject) == (severity, subject)]


# ---- the real data sets


def test_db15k_valid_repeats_train_and_test(datasets: Path) -> None:
    report = audit(datasets / "DB15K")
    (error,) = _of(report, "error", "valid")
    assert error.figures == {
        "rows": 9904,
        "triples": 7481,
        "triples_in_train": 6584,
        "rows_in_train": 8719,
        "triples_in_test": 824,
        "rows_in_test": 1105,
        "triples_new": 73,
    }
    for part in ("9,904 rows", "7,481 distinct", "6,584 in train (8,719 rows)", "73 new"):
        assert part in error.message
    assert "hold_out=0.1" in error.message
    assert not report.ok
    assert [f for f in report.findings if f.severity == "error"] == [error]
    valid, test = report.splits[1:]
    assert (valid.rows, valid.triples, valid.duplicates) == (9904, 7481, 2423)
    assert test.unseen_entity_rows == 77
    assert (report.entities, report.relations) == (12842, 279)


@pytest.mark.parametrize(("name", "unseen_rows"), [("MKG-W", 306), ("MKG-Y", 388)])
def test_clean_data_sets_have_no_errors(datasets: Path, name: str, unseen_rows: int) -> None:
    report = audit(datasets / name)
    assert report.ok
    assert all(o.rows_shared == o.triples_shared == 0 for o in report.overlaps)
    assert report.splits[2].unseen_entity_rows == unseen_rows


def test_held_out_split_is_clean(datasets: Path) -> None:
    store = TripleStore.open(datasets / "DB15K").hold_out(0.1)
    report = audit(store)
    assert report.ok
    assert report.splits[1].unseen_entities == report.splits[1].unseen_relations == 0


def test_selecting_on_db15k_valid_warns(datasets: Path) -> None:
    store = TripleStore.open(datasets / "DB15K")
    expected = r"DB15K: 9,824 of its 9,904 rows .*8,719 in train, 1,105 in test.*hold_out=0\.1"
    with pytest.warns(LeakyValidationWarning, match=expected):
        warn_if_leaky(store, "valid")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_leaky(store.hold_out(0.1), "valid")
        warn_if_leaky(TripleStore.open(datasets / "MKG-W"), "valid")


# ---- overlaps


TRIPLES = st.lists(st.tuples(*[st.integers(0, 2)] * 3), max_size=25)


@given(TRIPLES.filter(bool), TRIPLES, TRIPLES)
def test_overlap_agrees_with_counting_in_python(train: list, valid: list, test: list) -> None:
    store = _store(train, valid, test)
    rows = dict(zip(SPLITS, (train, valid, test), strict=True))
    for a in SPLITS:
        for b in SPLITS:
            shared = set(rows[a]) & set(rows[b])
            assert split_overlap(store, a, b) == Overlap(
                of=a,
                within=b,
                rows=len(rows[a]),
                triples=len(set(rows[a])),
                rows_shared=sum(n for row, n in Counter(rows[a]).items() if row in shared),
                triples_shared=len(shared),
            )


def test_overlap_of_an_unknown_split_is_an_error() -> None:
    with pytest.raises(ValueError, match="'dev', expected one of train, valid, test"):
        split_overlap(_store([(0, 0, 1)]), "dev", "train")  # type: ignore[arg-type]


def test_ids_that_differ_are_never_taken_for_each_other() -> None:
    # Entity ids this large overflow a single 64-bit key of (head, relation, tail).
    big = 2**40
    store = TripleStore.from_triples([(0, 0, 1)], [(1, 0, 0)], [(0, 1, 0)], entities=2, relations=2)
    assert split_overlap(store, "valid", "train").triples_shared == 0
    from openke.data.overlap import _number

    rows = np.array([(0, 0, 0), (big, big, big), (0, 0, 0), (big, 0, big)])
    numbers = _number(rows)
    assert numbers[0] == numbers[2]
    assert len(set(numbers.tolist())) == 3


def _leaking(shared: int, rows: int = 200) -> TripleStore:
    """Return a store of which so many of the valid rows are in train."""
    train = [(i, 0, i + 1) for i in range(rows)]
    valid = [(i, 0, i + 1) if i < shared else (i, 1, i + 1) for i in range(rows)]
    return TripleStore.from_triples(train, valid, entities=rows + 1, relations=2)


def test_one_percent_is_where_a_split_leaks() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_leaky(_leaking(2), "valid")
        warn_if_leaky(_store([(0, 0, 1)]), "valid")  # empty
    with pytest.warns(LeakyValidationWarning, match="3 of its 200 rows") as caught:
        warn_if_leaky(_leaking(3), "valid")
    assert caught[0].filename == __file__
    assert _of(audit(_leaking(2)), "warning", "valid")[0].figures["rows_in_train"] == 2
    assert _of(audit(_leaking(3)), "error", "valid")[0].figures["rows_in_train"] == 3


def test_test_triples_in_train_are_an_error() -> None:
    report = audit(_store([(0, 0, 1), (1, 0, 2)], [], [(0, 0, 1), (0, 0, 1), (0, 0, 2)]))
    (error,) = _of(report, "error", "test")
    assert error.figures == {
        "rows": 3,
        "triples": 2,
        "triples_in_train": 1,
        "rows_in_train": 2,
        "triples_new": 1,
    }
    assert "drop those triples from train" in error.message


# ---- counts


def test_counts_ranges_and_unseen_ids() -> None:
    train = [(0, 0, 1), (1, 0, 2), (1, 0, 2)]
    test = [(4, 0, 4), (4, 0, 4), (0, 2, 4), (2, 0, 0)]
    report = audit(_store(train, [], test))
    assert report.directory is None
    assert (report.unused_entities, report.unused_relations) == (2, 1)
    in_train, valid, in_test = report.splits
    assert (in_train.rows, in_train.triples, in_train.duplicates) == (3, 2, 1)
    assert (in_train.entity_range, in_train.relation_range) == ((0, 2), (0, 0))
    assert (in_train.unseen_entities, in_train.unseen_relations) == (0, 0)
    assert (valid.rows, valid.entity_range, valid.relation_range) == (0, None, None)
    assert (in_test.entity_range, in_test.relation_range) == ((0, 4), (0, 2))
    assert (in_test.unseen_entities, in_test.unseen_entity_rows) == (1, 3)
    assert (in_test.unseen_relations, in_test.unseen_relation_rows) == (1, 1)
    assert report.ok

    messages = {(f.severity, f.subject): f.message for f in report.findings}
    assert messages["note", "entities"].startswith("they have no names")
    said = {f.message for f in report.findings}
    assert "the split is empty" in said
    assert "2 are in no triple" in said
    assert "1 of 3 rows repeat an earlier row; each distinct triple is used once" in said
    assert any(m.startswith("3 of 4 rows hold one of 1 entities that no train") for m in said)
    assert any(m.startswith("1 of 4 rows hold one of 1 relations that no train") for m in said)


def test_names_that_are_missing_are_noted(tmp_path: Path) -> None:
    report = audit(_write(tmp_path, names=False, train=[(0, 0, 1)]))
    assert (report.entities_named, report.relations_named) == (False, False)
    assert _of(report, "note", "relations")[-1].message == "they have no names"
    report = audit(_write(tmp_path, train=[(0, 0, 1)]))
    assert (report.entities_named, report.relations_named) == (True, True)
    assert not any("no names" in f.message for f in report.findings)


# ---- type constraints


def test_answers_outside_the_constraint_file_are_counted(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        train=[(0, 0, 1), (2, 1, 3), (4, 2, 5)],
        valid=[(0, 0, 2)],
        test=[(3, 1, 2), (0, 1, 3), (0, 1, 3), (0, 0, 1)],
    )
    (folder / "type_constrain.txt").write_text(
        "3\n0\t1\t0\n0\t2\t1\t2\n1\t1\t2\n1\t1\t3\n2\t1\t4\n2\t1\t5\n"
    )
    report = audit(folder)
    assert report.constraint is not None
    assert report.constraint.source == "type_constrain.txt"
    assert report.constraint.excluded == {
        "valid": {"head": 0, "tail": 0, "either": 0},
        "test": {"head": 3, "tail": 1, "either": 3},
    }
    (finding,) = _of(report, "error", "type constraint")
    assert finding.figures == {"split": "test", "rows": 4, "head": 3, "tail": 1, "either": 3}
    assert "does not admit the head of 3 of 4 rows of test and the tail of 1;" in finding.message
    assert "make the file again, or remove it" in finding.message
    assert not report.ok
    row = next(line for line in report.to_text().splitlines() if line.split()[-1:] == ["3"])
    assert row.split() == ["test", "3", "1", "3"]


@pytest.mark.parametrize(("excluded", "severity"), [(1, "warning"), (2, "error")])
def test_a_constraint_file_may_exclude_one_percent(
    tmp_path: Path, excluded: int, severity: str
) -> None:
    test = [(0, 0, 1)] * (100 - excluded) + [(0, 0, 2)] * excluded
    folder = _write(tmp_path, train=[(3, 0, 1)], test=test)
    (folder / "type_constrain.txt").write_text("3\n0\t1\t0\n0\t1\t1\n1\t0\n1\t0\n2\t0\n2\t0\n")
    (finding,) = [f for f in audit(folder).findings if f.subject == "type constraint"]
    assert (finding.severity, finding.figures["either"]) == (severity, excluded)


def test_without_a_constraint_file_that_of_train_is_measured(tmp_path: Path) -> None:
    test = [(2, 0, 1), (2, 0, 3), (2, 0, 3), (0, 0, 3), (0, 0, 1)]
    report = audit(_write(tmp_path, train=[(0, 0, 1)], valid=[(0, 0, 1)], test=test))
    assert report.constraint is not None
    assert report.constraint.source == "train"
    assert report.constraint.excluded == {
        "valid": {"head": 0, "tail": 0, "either": 0},
        "test": {"head": 3, "tail": 3, "either": 4},
    }
    (note,) = _of(report, "note", "type constraint")
    assert "there is no type_constrain.txt; evaluations derive the constraint from all" in (
        note.message
    )
    assert note.message.endswith("would exclude 0 of 1 rows of valid, 4 of 5 rows of test")
    assert (note.figures["valid_either"], note.figures["test_head"]) == (0, 3)


def test_malformed_constraint_file_is_an_error_of_the_data_set(tmp_path: Path) -> None:
    folder = _write(tmp_path, train=[(0, 0, 1)])
    (folder / "type_constrain.txt").write_text("3\n0\t1\t99\n0\t0\n1\t0\n1\t0\n2\t0\n2\t0\n")
    report = audit(folder)
    (error,) = _of(report, "error", "type_constrain.txt")
    assert "type_constrain.txt:2" in error.message
    assert report.constraint is None
    assert not report.ok
    assert "type constraint of" not in report.to_text()


# ---- features


class _EntryPoint:
    """A check as an installed package would register it."""

    def load(self) -> object:
        return self.check

    @staticmethod
    def check(store: TripleStore, folder: Path) -> Iterator[Finding]:
        yield Finding("error", folder.name, "has NaN", {"rows": store.entity_count})


def test_registered_checks_look_at_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def entry_points(group: str) -> list[_EntryPoint]:
        asked["group"] = group
        return [_EntryPoint()]

    monkeypatch.setattr(module, "entry_points", entry_points)
    features = tmp_path / "features"
    features.mkdir()
    store = _store([(0, 0, 1)])
    report = audit(store, features=features)
    assert asked == {"group": "openke.audit"}
    assert report.findings[-1] == Finding("error", "features", "has NaN", {"rows": 6})
    assert not report.ok
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        audit(store, features=tmp_path / "nowhere")
    monkeypatch.setattr(module, "entry_points", lambda group: [])
    with pytest.raises(ValueError, match="nothing installed can check features; install"):
        audit(store, features=features)


def test_findings_have_a_known_severity() -> None:
    with pytest.raises(ValueError, match="'fatal', expected one of error, warning, note"):
        Finding("fatal", "train", "…")  # type: ignore[arg-type]


# ---- the report and the command


def test_report_as_json_and_as_text(tmp_path: Path) -> None:
    folder = _write(tmp_path, train=[(0, 0, 1), (1, 0, 2)], valid=[(0, 0, 1)], test=[(2, 0, 0)])
    report = audit(folder)
    values = json.loads(report.to_json())
    assert values == report.to_dict()
    assert values["ok"] is False
    assert values["directory"] == str(folder)
    assert values["splits"][1] == {
        "split": "valid",
        "rows": 1,
        "triples": 1,
        "duplicates": 0,
        "entity_range": [0, 1],
        "relation_range": [0, 0],
        "unseen_entities": 0,
        "unseen_entity_rows": 0,
        "unseen_relations": 0,
        "unseen_relation_rows": 0,
    }
    assert values["overlaps"][0] == {
        "of": "valid",
        "within": "train",
        "rows": 1,
        "triples": 1,
        "rows_shared": 1,
        "triples_shared": 1,
    }
    assert values["findings"][0]["severity"] == "error"

    text = report.to_text()
    assert f"({folder}): 6 entities, 3 relations" in text
    table = next(line.split() for line in text.splitlines() if line.startswith("test "))
    assert table == ["test", "1", "1", "0", "0", "to", "2", "0", "to", "0", *"0000"]
    severities = [
        line.split(":")[0] for line in text.splitlines() if line.startswith(("err", "warn", "note"))
    ]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    errors = sum(f.severity == "error" for f in report.findings)
    assert text.splitlines()[-1].startswith(f"{errors} error, ")


def test_an_empty_split_has_no_ranges_to_print() -> None:
    text = audit(_store([(0, 0, 1)])).to_text()
    line = next(line.split() for line in text.splitlines() if line.startswith("valid "))
    assert line == ["valid", "0", "0", "0", "-", "-", *"0000"]


def test_command_writes_a_file_or_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = tmp_path / "clean"
    clean.mkdir()
    _write(clean, train=[(0, 0, 1), (1, 0, 2), (2, 0, 1)], test=[(2, 0, 2)])
    assert command(str(clean)) == 0
    assert capsys.readouterr().out == audit(clean).to_text()
    assert command(str(clean), strict=True) == 1  # the valid split is empty
    assert capsys.readouterr().out == audit(clean).to_text()
    _write(clean, valid=[(0, 0, 1)])
    assert command(str(clean), json=True) == 1
    assert json.loads(capsys.readouterr().out) == audit(clean).to_dict()
    file = tmp_path / "out" / "report.json"
    assert command(str(clean), json=True, output=file) == 1
    assert json.loads(file.read_text(encoding="utf-8")) == audit(clean).to_dict()
    assert capsys.readouterr().out == ""


def test_strict_lets_notes_pass(tmp_path: Path) -> None:
    _write(tmp_path, train=[(0, 0, 1), (1, 0, 2)], valid=[(0, 0, 2)], test=[(2, 0, 2)])
    assert {f.severity for f in audit(tmp_path).findings} == {"note"}
    assert command(str(tmp_path), strict=True, output=tmp_path / "report.txt") == 0


def test_command_takes_the_name_of_a_data_set(
    datasets: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENKE_DATA", str(datasets))
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path))
    assert command("MKG-Y", output=tmp_path / "report.txt") == 0
    assert f"({datasets / 'MKG-Y'})" in (tmp_path / "report.txt").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="'TOY' is not known"):
        command("TOY")
    with pytest.raises(FileNotFoundError, match="found no such folder"):
        command(str(tmp_path / "TOY"))
