"""``openke train``: any model on any data set, by a recipe or by defaults that learn."""

import json
import re
import shutil
from types import SimpleNamespace

import pytest
import torch

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.runs import experiment, train_command
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import run
from lbmkgc_models.runs.make_model import ALL_MODELS, modalities_of, model_maker
from lbmkgc_models.runs.train_command import command, fitted
from openke import cli
from openke.data.store import TripleStore
from openke.datasets.importing import import_graph
from openke.runs.experiment import Execution, RunOptions
from openke.runs.recipe import Recipe
from openke.training.callbacks import Log
from tests.contracts.graphs import both, graph, one
from tests.openke.runs.trained import data_folder

SMALL = ("training.epochs=2", "training.batch_size=32")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a data set in a folder, with a cache of its own."""
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    return data_folder(tmp_path / "data")


def report(out):
    return json.loads((out / "report.json").read_text())


def saved(out):
    return Recipe.read(out / "settings.json")


@pytest.mark.parametrize("model", ALL_MODELS)
def test_defaults_build_every_model(model):
    features = one() if modalities_of(model) == "one" else both()
    recipe = default_recipe(model)
    if recipe.training.sampling:
        recipe = recipe.changed({"training.sampling.neg_ent": 3})
    built = recipe.build(graph(), make=model_maker(features))
    assert built.strategy.model.identity()["model"] == model


def train(data="", *, out=None, **given):
    command(data, execution=Execution(out=out, device="cpu"), **given)


def test_a_folder_is_enough(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    train(str(folder), set=(*SMALL, "features.modalities=none", "model.dim=4"))
    out = tmp_path / "runs" / "lbmkgc-toy"
    assert report(out)["model"] == "LBMKGC"
    assert (saved(out).evaluation.every, saved(out).training.epochs) == (3, 2)
    printed = capsys.readouterr().out
    assert "LBMKGC on TOY test" in printed
    assert "written to runs/lbmkgc-toy" in printed


def test_a_recipe_decides_and_a_place_changes_it(folder, tmp_path):
    recipe = default_recipe("ComplEx").changed({"data.name": str(folder), "model.dim": 3})
    recipe.write(tmp_path / "recipe.toml")
    out = tmp_path / "out"
    train(recipe=tmp_path / "recipe.toml", set=SMALL, out=out)
    assert (saved(out).model_name, saved(out).model_settings["dim"]) == ("ComplEx", 3)
    again = tmp_path / "again"
    train(recipe=out / "settings.json", out=again)
    assert report(again)["metrics"] == report(out)["metrics"]
    with pytest.raises(ValueError, match="--recipe names the model: leave --model out"):
        train(recipe=tmp_path / "recipe.toml", model="RotatE")


def test_a_valid_split_that_leaks_is_not_chosen_on(folder, tmp_path, capsys):
    shutil.copy(folder / "train2id.txt", folder / "valid2id.txt")
    rows = len(TripleStore.open(folder).triples("train"))
    train(str(folder), model="DistMult", set=SMALL, out=tmp_path / "out")
    assert f"{rows} of its {rows} rows are in other splits too" in capsys.readouterr().out
    assert saved(tmp_path / "out").data.hold_out == 0.1
    (folder / "valid2id.txt").unlink()
    out = tmp_path / "none"
    train(str(folder), model="DistMult", set=SMALL, out=out)
    assert "TOY: it has no valid split; a tenth of train" in capsys.readouterr().out
    chosen = (*SMALL, "evaluation.every=0", "evaluation.patience=0")
    train(str(folder), model="DistMult", set=chosen, out=tmp_path / "own")
    assert saved(tmp_path / "own").data.hold_out == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "the recipe names no data set: give one, such as MKG-Y, or a folder"),
        ({"data": "NOWHERE"}, "data set 'NOWHERE' is not known"),
        ({"model": "Complex"}, r"model is 'Complex' \(did you mean ComplEx\?\); expected one of"),
        ({"set": ("training.lr",)}, "--set training.lr: expected PLACE=VALUE"),
        ({"set": ("training.rate=1",)}, "training has no setting 'rate'"),
    ],
)
def test_bad_arguments_are_said(arguments, message, folder, tmp_path):
    given = {"data": str(folder) if arguments else "", "out": tmp_path / "out", **arguments}
    with pytest.raises(ValueError, match=message):
        train(given.pop("data"), **given)
    assert not (tmp_path / "out").exists()


def test_a_data_set_without_a_test_split_is_told_the_way_out(folder):
    (folder / "test2id.txt").unlink()
    with pytest.raises(ValueError, match=r"test2id.txt is missing; give one, .* 'openke import'"):
        train(str(folder), model="DistMult", set=SMALL)


def test_a_small_graph_has_fewer_negatives(folder, tmp_path):
    out = tmp_path / "out"
    train(str(folder), model="RotatE", set=(*SMALL, "model.dim=4"), out=out)
    assert saved(out).training.sampling["neg_ent"] == 23
    own = (*SMALL, "training.sampling.neg_ent=5", "model.dim=4")
    train(str(folder), model="RotatE", set=own, out=tmp_path / "own")
    assert saved(tmp_path / "own").training.sampling["neg_ent"] == 5


def test_the_report_has_the_best_epoch_and_a_finished_run_says_so(folder, tmp_path, capfd):
    out = tmp_path / "out"
    settings = (*SMALL, "model.dim=4", "evaluation.every=1")
    command(str(folder), model="DistMult", set=settings, execution=Execution(out=out, device="cpu"))
    best = report(out)["best_epoch"]
    assert best["epoch"] in (1, 2)
    assert 0 < best["valid_mrr"] <= 1
    assert "loss" not in best
    again = Execution(out=out, device="cpu", resume=True)
    command(str(folder), model="DistMult", set=settings, execution=again)
    assert "nothing to train: all 2 epochs are done" in capfd.readouterr().err


def test_the_report_says_which_texts_and_encoders_a_run_had(folder, tmp_path):
    lines = [f"{i}\tentity {i}\tname{i}\tword{i % 5} name{(i + 1) % 23}" for i in range(23)]
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n")
    texts = ("features.text_encoder=tfidf", "features.texts=descriptions", "model.dim=4")
    train(str(folder), set=(*SMALL, *texts), out=tmp_path / "out")
    assert report(tmp_path / "out")["features"] == {
        "text": {"encoder": "tfidf", "texts": "descriptions"},
        "mentions": {"texts": "descriptions"},
    }
    train(str(folder), model="ComplEx", set=(*SMALL, "model.dim=4"), out=tmp_path / "without")
    assert "features" not in report(tmp_path / "without")


def test_an_interrupted_run_has_its_curves(folder, tmp_path, monkeypatch):
    def interrupt(log, trainer, record):
        raise KeyboardInterrupt

    monkeypatch.setattr(Log, "on_epoch_end", interrupt)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        command(
            str(folder), model="DistMult", set=(*SMALL, "model.dim=4"),
            execution=Execution(out=out, device="cpu"),
        )  # fmt: skip
    assert (out / "training.png").is_file()
    assert not (out / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("model", "setting", "message"),
    [
        ("ComplEx", "model.dim=true", "^model.dim is True; expected a whole number, 1 or more$"),
        ("LBMKGC", "model.dim=8.0", "^model.dim is 8.0; expected a whole number, 1 or more$"),
        ("LBMKGC", "model.gates=sum", r"^model 'LBMKGC' has no setting 'gates' .did you mean gate"),
        (
            "ComplEx",
            "training.lr=NaN",
            "^training.lr is nan; expected a number above 0, at most 1000$",
        ),
    ],
)
def test_settings_are_checked_before_data_is_looked_for(model, setting, message):
    with pytest.raises(ValueError, match=message):
        command("NOWHERE", model=model, set=(setting,))


def test_no_features_for_a_model_over_structure(folder):
    store = TripleStore.open(folder)
    recipe = default_recipe("RotatE").changed({"features.modalities": ["text"]})
    with pytest.raises(
        ValueError,
        match=r"features.modalities is \['text'\], but this model uses structure only; .*IKRL",
    ):
        experiment.features_for(recipe, store, folder)


def test_a_recipe_for_the_features_of_another_data_set_is_one_line(folder, tmp_path, capfd):
    names = [f"product {i}" for i in range(5)]
    other = ModalFeatures.from_rows("text", names, torch.randn(5, 3), names)
    other.save(tmp_path / "shop" / "text")
    recipe = default_recipe("LBMKGC").changed({"data.name": "shop"})
    for changes, message in (
        (
            {"features.folder": str(tmp_path / "shop")},
            r"shop/text: none of the 5 names, the first 'product 0', is one of the 23 entities, "
            r"the first 'entity 0': these features belong to another data set",
        ),
        (
            {"features.folder": str(tmp_path / "gone")},
            r"gone: no features of TOY there \(it is no folder\); expected a folder with",
        ),
        (
            {"features.modalities": ["text", "image"]},
            r"no image features of TOY in .*; name a folder that holds the store image/",
        ),
    ):
        recipe.changed(changes).write(tmp_path / "recipe.json")
        options = ["--recipe", str(tmp_path / "recipe.json"), "--out", str(tmp_path / "out")]
        assert cli.main(["train", str(folder), *options, "--device", "cpu"]) == 2
        said = capfd.readouterr().err.strip()
        assert re.fullmatch(f"openke: error: .*{message}.*", said), said
        assert not (tmp_path / "out").exists()


def test_a_recipe_cut_short_says_so(folder, tmp_path, capsys):
    path = tmp_path / "long.json"
    path.write_text(json.dumps({"model": {"name": "TransE", "dim": 4}, "training": {"epochs": 9}}))
    train(str(folder), recipe=path, set=SMALL, out=tmp_path / "out")
    assert "2 epochs instead of 9: a first look" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("labelled", "more", "scored"),
    [
        (True, (), True),
        (False, (), False),
        (True, ("features.modalities=none",), False),
        (True, ("model.score_mentions=false",), False),
    ],
)
def test_mentions_are_scored_where_there_are_texts(folder, tmp_path, labelled, more, scored):
    if not labelled:
        (folder / "labels.tsv").unlink()
    train(str(folder), set=(*SMALL, *more), out=tmp_path / "out")
    assert saved(tmp_path / "out").model_settings["score_mentions"] == scored


def sized(queries, entities):
    """Return a store that says how large it is."""
    return SimpleNamespace(
        name="BIG", directory=None, entity_count=entities, rows=lambda split: 1,
        triples=lambda split: range(queries // 2) if split == "train" else [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("queries", "entities", "epochs", "objective"),
    [
        (1_600, 190, 100, "1vsall"),
        (16_000, 1_500, 38, "1vsall"),
        (160_000, 12_000, 15, "1vsall"),
        (2_000_000, 200_000, 15, "negative sampling"),
    ],
)
def test_defaults_suit_the_size_of_a_graph(
    queries, entities, epochs, objective, monkeypatch, capsys
):
    monkeypatch.setattr(train_command, "leak_of", lambda store: None)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    store = sized(queries, entities)
    found = train_command.fitted(default_recipe("ComplEx"), store, settled=())
    assert (found.training.epochs, found.training.objective) == (epochs, objective)
    assert ("negatives are sampled" in capsys.readouterr().out) == (objective != "1vsall")
    settled = {"training.epochs": 15}
    found = train_command.fitted(default_recipe("ComplEx"), store, settled=settled)
    assert (found.training.epochs, found.training.objective) == (15, "1vsall")
    changed = default_recipe("ComplEx").changed({"training.epochs": 7})
    assert train_command.fitted(changed, store).training.epochs == 7


def test_a_default_recipe_is_fitted_to_a_small_graph_in_python_too(tmp_path):
    rows = [(f"e{i % 20}", f"r{i % 2}", f"e{(i * 7 + 1) % 20}") for i in range(200)]
    import_graph(rows, tmp_path / "small")
    changes = {"data.name": str(tmp_path / "small"), "training.epochs": 1, "model.dim": 4}
    recipe = default_recipe("TransE").changed(changes)
    with pytest.raises(ValueError, match=r"training\.sampling\.neg_ent is 64, .* 20 entities"):
        run(recipe, RunOptions(out=tmp_path / "a", device="cpu"))
    run(recipe, RunOptions(out=tmp_path / "b", device="cpu"), fit=fitted)
    found = saved(tmp_path / "b").training
    assert (found.sampling["neg_ent"], found.epochs) == (20, 1)
    asked = recipe.changed({"training.sampling.neg_ent": 65})
    with pytest.raises(ValueError, match=r"neg_ent is 65"):
        run(asked, RunOptions(out=tmp_path / "c", device="cpu"), fit=fitted)
