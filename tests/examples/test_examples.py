"""The example scripts, run as a user runs them on a small graph with names and descriptions."""

import csv
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from openke.runs.parts import divide
from openke.runs.recipe import Recipe
from tests.contracts.graphs import graph
from tests.openke.data.test_train_data_loader import write_openke
from tests.scripts import run_here

EXAMPLES = Path(__file__).parents[2] / "examples"
ANY = "train_openke.py"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("train_*.py") if path.name != ANY)
MODELS = {
    "lbmkgc": "LBMKGC", "transe": "TransE", "rotate": "RotatE", "ikrl": "IKRL", "transr": "TransR",
    "complex": "ComplEx", "vista": "VISTA", "mygo": "MyGO", "gcote": "GCOTE",
}  # fmt: skip
MULTIMODAL = ("LBMKGC", "IKRL", "VISTA", "MyGO")
RECIPES = {
    "transe_fb15k237": (1000, 200, 1.0, "sgd"),
    "transh_fb15k237": (1000, 200, 0.5, "sgd"),
    "transr_fb15k237": (1000, 200, 1.0, "sgd"),
    "transd_fb15k237": (1000, 200, 1.0, "sgd"),
    "rescal_fb15k237": (1000, 50, 0.1, "adagrad"),
    "distmult_wn18rr": (2000, 200, 0.5, "adagrad"),
    "complex_wn18rr": (2000, 200, 0.5, "adagrad"),
    "simple_wn18rr": (2000, 200, 0.5, "adagrad"),
    "analogy_wn18rr": (2000, 200, 0.5, "adagrad"),
    "hole_wn18rr": (1000, 100, 0.5, "adagrad"),
    "transe_wn18rr_adv": (3000, 1024, 2e-5, "adam"),
    "rotate_wn18rr_adv": (6000, 1024, 2e-5, "adam"),
    "distmult_wn18rr_adv": (400, 1024, 2e-3, "adam"),
}
"""Epochs, size, learning rate and optimiser of OpenKE's own examples."""
OPTIONS = ["epochs", "dim", "lr", "batch-size", "seed", "device", "data", "out", "hold-out", "set"]
TINY = ["--epochs", "2", "--dim", "8", "--batch-size", "16", "--device", "cpu"]
AGAINST_ALL = (
    "train_complex_db15k.py",
    "train_lbmkgc_db15k_1vsall.py",
    "train_mygo_db15k.py",
    "train_vista_db15k.py",
)
"""Scripts that draw no negatives."""


def tiny(script):
    """Return options that train in a moment."""
    if script in AGAINST_ALL:
        return TINY
    group = ["--set", "model.group=4"] if "gcote" in script else []  # it divides the size
    return [*TINY, "--negatives", "4", *group]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder that holds a small graph under each name that a script uses."""
    folder = tmp_path_factory.mktemp("data")
    store = graph(entities=40, triples=120)
    for name in ("DB15K", "MKG-W", "MKG-Y", "FB15K237", "WN18RR"):
        (folder / name).mkdir()
        write_openke(store, folder / name)
        lines = [
            f"{i}\t{name}\tThing {i}\tthe {i}th thing of a small graph"
            for i, name in enumerate(store.entity_names)
        ]
        (folder / name / "labels.tsv").write_text("\n".join(lines) + "\n")
    return folder


def run(script, *options, cwd, expect=0):
    done = run_here(EXAMPLES / script, *options, cwd=cwd, OPENKE_CACHE=str(cwd / "cache"))
    assert done.returncode == expect, done.stderr
    return done


def test_there_is_a_script_for_each_model_and_data_set_and_none_is_long():
    expected = {f"train_lbmkgc_{name}.py" for name in ("db15k", "mkgw", "mkgy")}
    expected |= {f"train_{name}_db15k.py" for name in ("transe", "rotate", "complex", "ikrl")}
    expected |= {f"train_{name}_fb15k237.py" for name in ("transe", "transr", "gcote")}
    expected |= {"train_rotate_wn18rr_adv.py"}
    assert expected <= set(SCRIPTS)
    for name in (*SCRIPTS, ANY):
        assert len((EXAMPLES / name).read_text().splitlines()) < 60


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_trains_tests_and_writes_everything_down(script, data, tmp_path):
    out = tmp_path / "out"
    done = run(script, *tiny(script), "--data", data, "--out", out, cwd=tmp_path)
    model = MODELS[script.split("_")[1]]
    assert "Hits@10" in done.stdout
    assert f"{model} on " in done.stdout
    assert ("structure only" in done.stdout) == (model not in MULTIMODAL)
    if model == "LBMKGC":
        assert "text" in done.stdout
        assert "image" in done.stdout  # said to be missing
    report = json.loads((out / "report.json").read_text())
    assert report["model"] == model
    assert 0 < report["metrics"]["both"]["realistic"]["mrr"] <= 1
    settings = json.loads((out / "settings.json").read_text())
    assert settings["recipe"]["training"]["epochs"] == 2
    assert settings["model"]["settings"].get("dim", 8) == 8
    assert settings["environment"]["torch"]
    rows = list(csv.DictReader((out / "training.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert load_file(out / "model.safetensors")
    assert (out / "last.ckpt").is_file()
    assert (out / "training.png").stat().st_size > 1000


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_explains_every_option_and_none_without_effect(script, tmp_path):
    text = run(script, "--help", cwd=tmp_path).stdout
    for option in OPTIONS:
        assert f"--{option}" in text
    assert ("--negatives" in text) == (script not in AGAINST_ALL)
    assert ("--modalities" in text) == (MODELS[script.split("_")[1]] in MULTIMODAL)
    assert not re.search(r"default: (None|''|False)?\)|None\}", text)
    assert "The model's" not in text


@pytest.mark.slow
def test_a_script_runs_alone_when_copied(data, tmp_path):
    shutil.copy(EXAMPLES / "train_lbmkgc_mkgw.py", tmp_path)
    options = [*TINY, "--negatives", "4", "--data", str(data), "--out", str(tmp_path / "out")]
    environment = {**os.environ, "OPENKE_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "train_lbmkgc_mkgw.py", *options]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "LBMKGC on MKG-W test" in done.stdout


@pytest.mark.parametrize("recipe", RECIPES)
def test_any_recipe_of_openke(recipe, data, tmp_path):
    out = tmp_path / "out"
    done = run(ANY, recipe, *tiny(ANY), "--data", data, "--out", out, cwd=tmp_path)
    settings = json.loads((out / "settings.json").read_text())
    assert settings["model"]["model"].lower() == recipe.split("_")[0]
    assert f"{settings['model']['model']} on " in done.stdout
    assert recipe.split("_")[1] == settings["data"]["name"].lower()
    assert settings["model"]["settings"].get("dim", settings["model"]["settings"].get("dim_e")) == 8
    adversarial = recipe.endswith("_adv")
    assert settings["loader"]["sampling_mode"] == ("cross" if adversarial else "normal")
    assert settings["loader"]["bern_flag"] != adversarial


def test_openkes_settings_are_the_defaults():
    openke = importlib_of("train_openke")
    recipes = {name: openke.read(name) for name in openke.RECIPES}
    found = {
        name: (r.training.epochs, r.model_settings.get("dim", r.model_settings.get("dim_e")),
               r.training.lr, r.training.optimizer)
        for name, r in recipes.items()
    }  # fmt: skip
    assert found == RECIPES
    for name, recipe in recipes.items():
        t, (loss, _) = recipe.training, divide("loss", recipe.training.loss)
        negatives = t.sampling["neg_ent"]
        if name.endswith("_adv"):
            assert (t.batch_size, negatives, loss) == (2000, 64, "SigmoidLoss")
        elif name.endswith("wn18rr"):
            assert (t.regul_rate, negatives, loss) == (1.0, 25, "SoftplusLoss")
            assert -(-86835 // t.batch_size) == 100
        else:
            assert (t.regul_rate, negatives, loss) == (0.0, 25, "MarginLoss")
            assert -(-272115 // t.batch_size) == 100
    assert recipes["distmult_wn18rr_adv"].training.l3_regul_rate == 5e-6


def test_gcote_takes_the_steps_of_its_authors():
    script = importlib_of("train_gcote_fb15k237")
    triples = 272115
    found = []
    for recipe in (Recipe.from_dict(script.OTE), Recipe.from_dict(script.RECIPE)):
        t = recipe.training
        assert t.sampling["weights"] == "frequency"
        assert t.schedule["unit"] == "steps"
        steps = t.epochs * -(-triples // t.batch_size)
        found.append((round(steps, -3), t.schedule["every"], t.schedule["factor"], t.lr))
    assert found == [(250000, 25000, 0.5, 2e-3), (60000, 8000, 0.5, 2e-4)]
    assert script.RECIPE["model"]["context"] == "attention"


@pytest.mark.slow
def test_recipes_are_listed(tmp_path):
    for arguments, status in (((), 0), (("--help",), 0), (("transe_wn18",), 2)):
        listed = run(ANY, *arguments, cwd=tmp_path, expect=status).stdout
        assert all(name in listed for name in RECIPES)
    text = run(ANY, "complex_wn18rr", "--help", cwd=tmp_path).stdout
    assert "ComplEx on WN18RR with OpenKE's settings." in text
    assert "2000" in text


def importlib_of(name):
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_published_settings_are_the_defaults():
    published = {
        "train_lbmkgc_db15k": (12.0, 1250, 2e-5),
        "train_lbmkgc_mkgw": (16.0, 1000, 1e-5),
        "train_lbmkgc_mkgy": (24.0, 1250, 1e-5),
    }
    for name, (margin, epochs, rate) in published.items():
        recipe = Recipe.from_dict(importlib_of(name).RECIPE)
        t = recipe.training
        assert (recipe.model_settings["margin"], t.epochs, t.lr) == (margin, epochs, rate)
        assert (recipe.model_settings["dim"], t.sampling["neg_ent"], t.batch_size) == (
            500,
            128,
            512,
        )
        assert (t.loss["adv_temperature"], t.regul_rate) == (4.0, 1e-5)
        # What it is compared with has read no articles.
        assert recipe.features.texts == "descriptions"


@pytest.mark.slow
def test_a_training_cut_short_says_which_rate_fits(data, tmp_path):
    options = [*TINY, "--negatives", "4", "--data", data, "--out", tmp_path / "out"]
    done = run("train_rotate_db15k.py", *options, cwd=tmp_path)
    assert "2 epochs instead of 200: the learning rate 0.001 is made for the long" in done.stdout
    assert "try --lr 0.05" in done.stdout
    done = run("train_rotate_db15k.py", *options, "--lr", 0.2, "--overwrite", cwd=tmp_path)
    assert "instead of" not in done.stdout


@pytest.mark.slow
def test_a_run_is_neither_overwritten_nor_forgotten(data, tmp_path):
    options = [*TINY, "--negatives", "4", "--data", data, "--out", tmp_path / "out"]
    run("train_rotate_db15k.py", *options, cwd=tmp_path)
    refused = run("train_rotate_db15k.py", *options, cwd=tmp_path, expect=2)
    assert "holds a run already: --resume goes on" in refused.stderr
    assert "Traceback" not in refused.stderr
    more = ["--epochs", "3", *options[2:]]
    run("train_rotate_db15k.py", *more, "--resume", cwd=tmp_path)
    rows = list(csv.DictReader((tmp_path / "out" / "training.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    run("train_rotate_db15k.py", *options, "--overwrite", cwd=tmp_path)
    assert len(list(csv.DictReader((tmp_path / "out" / "training.csv").open()))) == 2


@pytest.mark.parametrize(
    ("script", "options", "message"),
    [
        ("train_lbmkgc_db15k.py", ["--modalities", "image"], "image"),
        ("train_rotate_db15k.py", ["--set", "features.modalities=text"], "uses structure only"),
        ("train_rotate_db15k.py", ["--set", "features.text_encoder=tfidf"], "structure only"),
        ("train_rotate_db15k.py", ["--set", "epochs"], "--set epochs: expected PLACE=VALUE"),
        ("train_rotate_db15k.py", ["--set", "training.epoch=3"], "no setting 'epoch'"),
        ("train_rotate_db15k.py", ["--device", "abacus"], "device 'abacus' is not available"),
        (
            "train_rotate_db15k.py",
            ["--patience", "2"],
            "patience needs evaluation.every",
        ),
        (
            "train_rotate_db15k.py",
            ["--epochs", "0"],
            "--epochs 0: training.epochs is 0",
        ),
        ("train_rotate_db15k.py", ["--lr", "1e38"], "at most 1000"),
        ("train_rotate_db15k.py", ["--out", __file__], "is a file, expected a folder"),
        ("train_rotate_db15k.py", ["--resume"], "--resume: there is no"),
        ("train_rotate_db15k.py", ["--negatives", "1000"], "1000"),
        ("train_rotate_db15k.py", ["--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_one_clear_line(script, options, message, data, tmp_path):
    given = [*tiny(script), "--data", data, "--out", tmp_path / "out", *options]
    done = run(script, *given, cwd=tmp_path, expect=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_validation_on_a_held_out_split_stops_early(data, tmp_path):
    options = ["--hold-out", "0.1", "--validate-every", "1", "--patience", "1"]
    out = tmp_path / "out"
    run(
        "train_transe_db15k.py",
        "--epochs",
        "50",
        *TINY[2:],
        "--data",
        data,
        "--out",
        out,
        *options,
        cwd=tmp_path,
    )
    rows = list(csv.DictReader((out / "training.csv").open()))
    assert len(rows) < 50
    assert all(row["valid_mrr"] for row in rows)


@pytest.mark.slow
def test_a_refused_run_leaves_everything_as_it_was(data, tmp_path):
    out = tmp_path / "out"
    options = [*TINY, "--negatives", "4", "--data", data, "--out", out]
    run("train_rotate_db15k.py", *options, cwd=tmp_path)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    run(
        "train_rotate_db15k.py",
        *options,
        "--overwrite",
        "--negatives",
        "999",
        cwd=tmp_path,
        expect=2,
    )
    changed = run(
        "train_rotate_db15k.py", *options, "--resume", "--lr", "0.5", cwd=tmp_path, expect=2
    )
    assert "optimizer.lr is 0.001 there and 0.5 here" in changed.stderr
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    new = tmp_path / "new"
    run("train_rotate_db15k.py", *options[:-1], new, "--negatives", "999", cwd=tmp_path, expect=2)
    assert not new.exists()


@pytest.mark.slow
def test_a_run_without_a_test_split_ends_before_training(data, tmp_path):
    folder = tmp_path / "data" / "DB15K"
    shutil.copytree(data / "DB15K", folder)
    (folder / "test2id.txt").unlink()
    options = [*TINY, "--negatives", "4", "--data", folder, "--out", tmp_path / "out"]
    refused = run("train_rotate_db15k.py", *options, cwd=tmp_path, expect=2)
    assert "test2id.txt" in refused.stderr
    assert not (tmp_path / "out").exists()
