"""A search begins with the row's settings, goes on, prunes, and keeps away from test."""

import csv
import json
from dataclasses import replace

import optuna
import pytest
from comparison.spaces import Range, has_space, read_space, take, value_at
from comparison.table_rows import find_rows, read_row
from tune import Settings, main, rows_of, search

from openke.training.trainer import Trainer
from tests.benchmarks.tiny import Watch, write_dataset, write_row

SPACE = {
    "training.lr": Range(low=0.1, high=1.0, log=True),
    "model.dim": Range(choices=(3, 4, 5)),
}
USELESS = {**SPACE, "training.lr": Range(low=1e-9, high=1e-8, log=True)}


@pytest.fixture
def row(tmp_path):
    write_dataset(tmp_path / "data")
    return read_row(write_row(tmp_path / "settings", epochs=4))


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def settings(tmp_path, trials):
    return Settings(
        **{"rows": ("ComplEx",), "dataset": "MKG-W", "trials": trials, "device": "cpu"},
        data=tmp_path / "data",
        studies=tmp_path / "studies",
        results=tmp_path / "results",
    )


def table(tmp_path):
    with (tmp_path / "results" / "MKG-W" / "ComplEx.tuned.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_first_trial_has_the_settings_of_the_row(tmp_path, row, watch):
    study = search(row, SPACE, settings(tmp_path, 2))
    first, second = study.trials
    assert first.params == {place: value_at(row, place) for place in SPACE}
    assert second.params != first.params
    assert watch.events.count("train") == 2
    assert set(watch.events) == {"train", "valid"}


def test_a_search_holds_out_where_a_row_does(tmp_path, watch):
    store = write_dataset(tmp_path / "data", "DB15K")
    search(
        read_row(write_row(tmp_path / "settings", "DB15K", epochs=2)), SPACE, settings(tmp_path, 1)
    )
    (searched,) = watch.stores
    train = set(map(tuple, store.triples("train").tolist()))
    held = set(map(tuple, searched.triples("valid").tolist()))
    assert held < train
    assert set(map(tuple, searched.triples("train").tolist())) == train - held


def test_a_search_goes_on(tmp_path, row, watch):
    search(row, SPACE, settings(tmp_path, 2))
    before = table(tmp_path)
    study = search(row, SPACE, settings(tmp_path, 4))
    assert watch.events.count("train") == 4
    assert table(tmp_path)[:2] == before
    assert [trial.number for trial in study.trials] == [0, 1, 2, 3]
    assert len({trial.params["training.lr"] for trial in study.trials}) == 4
    search(row, SPACE, settings(tmp_path, 4))
    search(row, SPACE, settings(tmp_path, 1))
    assert watch.events.count("train") == 4


def test_every_trial_is_recorded_those_pruned_too(tmp_path, row, watch):
    search(row, SPACE, settings(tmp_path, 5))
    study = search(row, USELESS, settings(tmp_path, 6))
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 5 + ["PRUNED"]
    found = table(tmp_path)
    assert list(found[0]) == ["trial", "state", "dev_mrr", "epochs", "seconds", *SPACE]
    assert [line["trial"] for line in found] == ["0", "1", "2", "3", "4", "5"]
    assert [line["state"] for line in found] == ["complete"] * 5 + ["pruned"]
    for line, trial in zip(found, study.trials, strict=True):
        assert float(line["dev_mrr"]) == pytest.approx(
            max(trial.intermediate_values.values()), abs=1e-5
        )
        assert trial.intermediate_values[int(line["epochs"])] == trial.user_attrs["dev_mrr"]
        assert {place: float(line[place]) for place in SPACE} == trial.params
    assert len(study.trials[5].intermediate_values) == 2  # of 4 epochs
    assert "test" not in watch.events


def test_a_trial_whose_loss_is_no_number_counts_as_pruned(tmp_path, row, capsys, monkeypatch):
    def diverging(trainer):
        raise FloatingPointError("the loss is nan")

    search(row, SPACE, settings(tmp_path, 1))
    monkeypatch.setattr(Trainer, "run", diverging)
    study = search(row, SPACE, settings(tmp_path, 2))
    assert study.trials[1].state.name == "PRUNED"
    assert table(tmp_path)[1]["dev_mrr"] == "0.00000"
    assert "the loss is nan" in capsys.readouterr().out


def test_the_first_trial_is_made_up_for(tmp_path, row, monkeypatch):
    def interrupted(trainer):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            search(row, SPACE, settings(tmp_path, 2))
    study = search(row, SPACE, settings(tmp_path, 2))
    done = study.get_trials(states=(optuna.trial.TrialState.COMPLETE,))
    assert len(done) == len(table(tmp_path)) == 2
    assert done[0].params == {place: value_at(row, place) for place in SPACE}


def test_trials_of_other_settings_are_an_error(tmp_path, row):
    search(row, SPACE, settings(tmp_path, 1))
    moved = read_row(write_row(tmp_path / "settings", epochs=4, lr=0.2))
    search(moved, SPACE, settings(tmp_path, 1))  # what is searched may change
    other = read_row(write_row(tmp_path / "settings", epochs=5))
    with pytest.raises(ValueError, match=r"ComplEx.tuned.db: the trials there had other settings"):
        search(other, SPACE, settings(tmp_path, 2))


def test_the_script_prints_the_best_recipe(tmp_path, capsys):
    write_dataset(tmp_path / "data")
    main(settings(tmp_path, 2))
    printed = capsys.readouterr().out
    assert "ComplEx on MKG-W: the best of 2 trials" in printed
    assert '"name": "ComplEx"' in printed
    assert len(table(tmp_path)) == 2


def test_the_script_says_when_every_trial_was_pruned(tmp_path, capsys, monkeypatch):
    def hopeless(row, trial, bench):
        for name in ("dev_mrr", "epochs", "seconds"):
            trial.set_user_attr(name, 0)
        raise optuna.TrialPruned

    write_dataset(tmp_path / "data")
    monkeypatch.setattr("tune.measured", hopeless)
    main(settings(tmp_path, 1))
    assert "every trial was pruned" in capsys.readouterr().out
    assert len(table(tmp_path)) == 1


def test_options_are_checked():
    with pytest.raises(ValueError, match="--trials 0: expected at least 1"):
        Settings(dataset="DB15K", trials=0)
    with pytest.raises(ValueError, match="rows of OpenMoji have the settings of Factbook: search"):
        Settings(dataset="OpenMoji", take=True)


def test_any_data_set_and_fewer_epochs(tmp_path, monkeypatch):
    options = settings(tmp_path, 1)
    (row,) = rows_of(replace(options, epochs=3))
    assert row.recipe.training.epochs == 3
    options = replace(options, dataset="Countries", rows=("DistMult",), epochs=2)
    (found,) = rows_of(options)
    assert (found.dataset, found.recipe.training.epochs) == ("Countries", 2)
    assert found.source == "the defaults of openke train"
    assert found.recipe.evaluation.patience
    write_dataset(tmp_path / "data", "Countries")
    assert len(search(found, read_space("DistMult"), options).trials) == 1
    with pytest.raises(ValueError, match="model is 'Nothing'; expected one of"):
        rows_of(replace(options, rows=("Nothing",)))
    with pytest.raises(ValueError, match="no settings of 'Nothing' for DB15K"):
        rows_of(replace(options, dataset="DB15K", rows=("Nothing",)))
    with pytest.raises(ValueError, match="--epochs -1: expected 0 or more"):
        replace(options, epochs=-1)


def test_without_names_all_rows_with_a_space_are_searched():
    every = {row.name for row in find_rows(datasets=["Factbook"], modes=["tuned"])}
    found = [row.name for row in rows_of(Settings(dataset="Factbook"))]
    assert set(found) == {name for name in every if has_space(name)}
    assert {"RSME", "IMF", "TransE", "LBMKGC"} < set(found)


def test_what_is_taken_changes_nothing_else(tmp_path, row):
    path = tmp_path / "settings" / "MKG-W" / "ComplEx.tuned.json"
    before = json.loads(path.read_text())
    values = {"training.lr": 0.25, "training.penalty.weight": 0.5}
    assert take(row, values, 8, tmp_path / "settings") == path
    taken = json.loads(path.read_text())
    assert "8 trials of one seed, each of at most 4 epochs" in taken["source"]
    expected = row.recipe.changed(values)
    assert read_row(path).recipe == expected != row.recipe
    before["recipe"]["training"]["lr"] = 0.25
    before["recipe"]["training"]["penalty"]["weight"] = 0.5
    assert taken["recipe"] == before["recipe"]


def test_the_script_takes_what_is_better_than_the_first_trial(tmp_path, monkeypatch):
    def better_later(row, trial, bench):
        for name in ("dev_mrr", "epochs", "seconds"):
            trial.set_user_attr(name, trial.number)
        return float(trial.number * (trial.number == best))

    took = []
    write_dataset(tmp_path / "data")
    monkeypatch.setattr("tune.measured", better_later)
    monkeypatch.setattr("tune.take", lambda row, values, trials: took.append((values, trials)))
    best = 0
    main(replace(settings(tmp_path, 3), take=True))
    assert not took
    best = 4
    main(settings(tmp_path, 5))
    assert not took
    main(replace(settings(tmp_path, 5), take=True))
    ((values, trials),) = took
    assert trials == 5
    assert values["training.lr"] == pytest.approx(float(table(tmp_path)[4]["training.lr"]))
