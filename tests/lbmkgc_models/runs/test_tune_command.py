"""``openke tune``: a search on the valid split that goes on, and ends in a recipe."""

import csv
import json
import sys

import pytest

from lbmkgc_models.runs import tune as searches
from lbmkgc_models.runs import tune_command
from lbmkgc_models.runs.tune_command import command
from openke import cli
from openke.data.store import TripleStore
from openke.runs.recipe import Recipe
from openke.training.trainer import Trainer
from tests.benchmarks.tiny import Watch
from tests.openke.runs.trained import data_folder

SMALL = ("training.batch_size=32", "model.dim=4")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a data set in a folder, with a cache of its own."""
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return data_folder(tmp_path / "data")


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def tune(folder, **given):
    options = {"model": "ComplEx", "trials": 2, "epochs": 1, "set": SMALL, "device": "cpu"}
    command(str(folder), **{**options, **given})


def table(out):
    with (out / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_best_recipe_trains_as_its_trial_did(folder, tmp_path, capsys, watch):
    tune(folder, epochs=4)
    out = tmp_path / "runs" / "tune-complex-toy"
    assert set(watch.events) == {"train", "valid"}
    assert sorted(path.name for path in out.iterdir()) == ["best.json", "study.db", "trials.csv"]
    printed = capsys.readouterr().out
    assert "ComplEx on TOY: the best of 2 trials" in printed
    line = printed.splitlines()[-1].split()
    assert line == ["openke", "train", str(folder), "--recipe", "runs/tune-complex-toy/best.json"]
    assert cli.main([*line[1:], "--device", "cpu", "--out", "out"]) == 0
    best = max(table(out), key=lambda trial: float(trial["dev_mrr"]))
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["best_epoch"]["epoch"] == int(best["epochs"])
    assert report["best_epoch"]["valid_mrr"] == pytest.approx(float(best["dev_mrr"]), abs=1e-5)


def test_the_first_trial_has_the_defaults_and_what_is_set_stays(folder, tmp_path):
    tune(folder, out=tmp_path / "out")
    first, second = table(tmp_path / "out")
    assert (first["training.lr"], first["training.penalty.weight"]) == ("0.1", "0.05")
    assert second["training.lr"] != first["training.lr"]
    assert not {"model.dim", "training.batch_size", "training.epochs"} & set(first)
    best = Recipe.read(tmp_path / "out" / "best.json")
    assert (best.model_settings["dim"], best.training.batch_size, best.training.epochs) == (
        4,
        32,
        1,
    )


def test_a_search_goes_on(folder, tmp_path, monkeypatch, watch):
    out = tmp_path / "out"
    tune(folder, out=out)
    before = table(out)
    run, calls = Trainer.run, []

    def interrupted(trainer):
        calls.append(trainer)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return run(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            tune(folder, out=out, trials=4)
    assert table(out)[:2] == before
    assert len(table(out)) == 3
    tune(folder, out=out, trials=4)
    assert len(table(out)) == 4
    assert len({line["training.lr"] for line in table(out)}) == 4
    trained = watch.events.count("train")
    tune(folder, out=out, trials=4)
    assert watch.events.count("train") == trained


def test_other_settings_triples_and_choices_are_errors(folder, tmp_path):
    out, space = tmp_path / "out", tmp_path / "space.json"
    space.write_text('{"model.dim": {"choices": [3, 5]}}')  # the default is outside
    tune(folder, out=tmp_path / "first", space=space, trials=1)
    space.write_text('{"model.dim": {"choices": [3, 4]}}')
    tune(folder, out=out, space=space, trials=1)
    with pytest.raises(
        ValueError, match=r"study.db: .*other settings .*\(recipe.training.epochs\)"
    ):
        tune(folder, out=out, space=space, epochs=2)
    space.write_text('{"model.dim": {"choices": [3, 5]}}')
    with pytest.raises(ValueError, match=r"drew model.dim from \[3, 4\], now it is from \[3, 5\]"):
        tune(folder, out=out, space=space)
    space.write_text('{"model.dim": {"low": 3, "high": 5}}')
    with pytest.raises(ValueError, match=r"from \[3, 4\], now it is from whole numbers"):
        tune(folder, out=out, space=space)
    tune(folder, out=tmp_path / "other", trials=1)
    rows = (folder / "train2id.txt").read_text().splitlines()
    (folder / "train2id.txt").write_text("\n".join([str(int(rows[0]) - 1), *rows[1:-1]]) + "\n")
    with pytest.raises(ValueError, match=r"other settings .*\(triples\)"):
        tune(folder, out=tmp_path / "other")


def test_a_file_of_something_else_is_an_error(folder, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "study.db").write_text("no database, " * 99)
    with pytest.raises(ValueError, match=r"study.db: cannot be used as a file of trials \(file is"):
        tune(folder, out=tmp_path / "out")


def test_without_a_valid_split_a_tenth_of_train_is_held_out(folder, tmp_path, watch, capsys):
    (folder / "valid2id.txt").write_text("0\n")
    tune(folder, out=tmp_path / "out", trials=1)
    assert "a tenth of train is held out to choose on" in capsys.readouterr().out
    (seen,) = watch.stores
    whole = TripleStore.open(folder)
    assert len(seen.triples("valid")) + len(seen.triples("train")) == len(whole.triples("train"))
    assert Recipe.read(tmp_path / "out" / "best.json").data.hold_out == 0.1


def test_a_space_of_ones_own(folder, tmp_path):
    space = tmp_path / "space.toml"
    space.write_text(
        "[training]\nlr = {low = 0.2, high = 0.4}\n[model]\ndim = {low = 2, high = 6}\n"
    )
    tune(folder, out=tmp_path / "out", space=space, set=("training.batch_size=32",))
    for trial in table(tmp_path / "out"):  # the defaults are outside, and drawn anew
        assert 0.2 <= float(trial["training.lr"]) <= 0.4
        assert int(trial["model.dim"]) in range(2, 7)


def test_values_that_do_not_fit_are_found_before_training(folder, tmp_path, watch):
    space = tmp_path / "space.json"
    for content, problem in {
        '{"training.lear": {"low": 0.1, "high": 1}}': "training.lear = 0.1: .*no setting 'lear'",
        '{"model.dim": {"choices": [4, 2.5]}}': r"model.dim = 2.5: model.dim is 2.5; expected a wh",
        '{"model.drop": {"choices": [1]}}': "model.drop = 1: .*no setting 'drop'",
        '{"training.lr": {"low": -1.0, "high": 1.0}}': "training.lr = -1.0: training.lr is -1.0",
    }.items():
        space.write_text(content)
        with pytest.raises(ValueError, match=f"space.json: {problem}"):
            tune(folder, out=tmp_path / "out", space=space)
    assert not watch.events
    assert not (tmp_path / "out").exists()


def test_after_a_failed_trial_a_search_goes_on_with_other_values(folder, tmp_path, monkeypatch):
    values, measure = [], searches.measure

    def failing(recipe, trial, make):
        values.append(trial.params)
        if len(values) in {2, 3}:
            raise ValueError("no such combination")
        return measure(recipe, trial, make)

    monkeypatch.setattr(searches, "measure", failing)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such combination"):
            tune(folder, out=tmp_path / "out", trials=3)
    tune(folder, out=tmp_path / "out", trials=3)
    assert values[1] != values[2] != values[3]
    assert len(table(tmp_path / "out")) == 3


def test_time_that_is_up_begins_no_trial(folder, tmp_path, capsys):
    tune(folder, out=tmp_path / "out", trials=200, minutes=0.005)
    done = len(table(tmp_path / "out"))
    assert 1 <= done < 200
    assert f"{done} of 200 trials are done; the same command goes on" in capsys.readouterr().out
    with pytest.raises(ValueError, match="--minutes 1e-12: no trial has begun in that time"):
        tune(folder, out=tmp_path / "other", minutes=1e-12)


def test_where_no_trial_came_to_its_end(folder, tmp_path):
    space = tmp_path / "space.json"
    space.write_text('{"training.penalty.weight": {"low": 1e40, "high": 1e41}}')
    with pytest.raises(ValueError, match="of 1 trial none was trained to its end"):
        tune(
            folder,
            space=space,
            out=tmp_path / "out",
            trials=1,
            epochs=4,
            set=SMALL,
        )
    assert table(tmp_path / "out")[0]["state"] == "pruned"


def test_a_model_with_texts_reads_its_features_once(folder, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(tune_command, "features_for", lambda *given: calls.append(given) or {})
    tune(folder, model="LBMKGC", out=tmp_path / "out", set=(*SMALL, "features.modalities=none"))
    assert len(calls) == 1
    assert "model.drop_structure" in table(tmp_path / "out")[0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"trials": 0}, "--trials is 0; expected a whole number, 1 or more"),
        ({"epochs": -1}, "--epochs is -1; expected a whole number, 0 or more"),
        ({"minutes": float("nan")}, "--minutes is nan; expected a number, 0 or more"),
        ({"seed": -1}, "--seed is -1; expected a whole number, 0 or more"),
        ({"model": "Nothing"}, "model is 'Nothing'; expected one of"),
        ({"set": ("model.size=3",)}, "no setting 'size'"),
    ],
)
def test_options_are_checked(folder, options, problem):
    with pytest.raises(ValueError, match=problem):
        tune(folder, **options)


def test_without_optuna_it_says_what_to_install(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert cli.main(["tune", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("pip install 'openke-lbmkgc[tune]'")
