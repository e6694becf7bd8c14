"""A saved run gives the figures of its report again, and others where others are asked for."""

import json

import numpy as np
import pytest

from openke.data import TestDataLoader, TripleStore
from openke.evaluation.tester import Tester
from openke.runs.evaluate import command, evaluate
from openke.runs.load import load_run
from openke.runtime.arguments import parse_arguments
from tests.openke.runs.trained import data_folder, trained


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    directory = data_folder(folder)
    trained(folder / "run", directory)
    trained(folder / "held", directory, hold_out=0.2)
    return folder


def call(*arguments):
    parse_arguments(command, args=[str(argument) for argument in arguments])


def as_json(capsys, *arguments):
    call(*arguments, "--json", "--device", "cpu")
    found = json.loads(capsys.readouterr().out)
    del found["seconds"]
    return found


def test_the_figures_are_those_of_the_report(place, capsys):
    expected = json.loads((place / "run" / "report.json").read_text())
    for name in ("seconds", "best_epoch", "calibration"):  # training's alone
        expected.pop(name, None)
    assert as_json(capsys, place / "run") == expected
    assert as_json(capsys, place / "run", "--block-mib", "1") == expected


def test_the_table_is_that_of_training(place, capsys):
    loaded = load_run(place / "run", device="cpu")
    tester = Tester(loaded.model, TestDataLoader(loaded.store), device="cpu", progress=False)
    call(place / "run", "--device", "cpu")
    assert capsys.readouterr().out == tester.rank("test").to_text() + "\n"


def test_valid_is_what_was_held_out_and_test_knows_all_triples(place):
    whole = TripleStore.open(place / "TOY")
    run = load_run(place / "held", device="cpu")
    assert len(evaluate(run, "valid").side) == 2 * len(whole.hold_out(0.2, 0).triples("valid"))
    tester = Tester(run.model, TestDataLoader(whole), device="cpu", progress=False)
    expected = tester.rank("test")
    np.testing.assert_array_equal(evaluate(run).greater, expected.greater)
    kept = Tester(run.model, TestDataLoader(run.store), device="cpu", progress=False)
    assert (kept.rank("test").greater != expected.greater).any()


def test_other_rules_give_other_figures(place, capsys):
    def mrr(*options, policy="realistic", side="both"):
        return as_json(capsys, place / "run", *options)["metrics"][side][policy]["mrr"]

    assert mrr("--filter") < mrr("--filter", "train") < mrr()
    assert mrr("--type-constrain") > mrr()
    assert as_json(capsys, place / "run", "--split", "valid")["split"] == "valid"
    relations = as_json(capsys, place / "run", "--relations")
    assert list(relations["metrics"]) == ["relation"]


def test_ties_are_broken_as_asked_in_every_line(place, capsys, tmp_path):
    report = evaluate(load_run(place / "run", device="cpu"))
    ties = np.ones_like(report.equal)
    object.__setattr__(report, "equal", ties)
    best, worst = report.to_text("optimistic"), report.to_text("pessimistic")
    assert "optimistic ranks" in best
    pairs = list(zip(best.splitlines()[3:], worst.splitlines()[3:], strict=True))
    assert all(float(a.split()[1]) > float(b.split()[1]) for a, b in pairs)
    call(place / "run", "--ties", "pessimistic", "--output", tmp_path / "table.txt")
    assert "pessimistic ranks" in (tmp_path / "table.txt").read_text()
    assert capsys.readouterr().out == ""


def test_each_relation_by_its_label(place, capsys):
    call(place / "run", "--by-relation", "--device", "cpu")
    shown = capsys.readouterr().out
    counts = [int(line.split()[-1]) for line in shown.split("\n\n")[1].splitlines()[2:]]
    assert counts == sorted(counts, reverse=True)
    assert "knows" in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--block-mib", "0"], "--block-mib is 0; expected a whole number, 1 or more"),
        (["--relations", "--type-constrain"], "relations are ranked without them"),
    ],
)
def test_what_cannot_be_asked_for(options, message, place):
    with pytest.raises(ValueError, match=message):
        call(place / "run", *options)
