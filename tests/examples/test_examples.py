"""The example scripts, run as a user runs them on a small graph with names and descriptions."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.contracts.graphs import graph
from tests.openke.data.test_loaders import write_openke

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("train_*.py"))
OPTIONS = ["epochs", "dim", "negatives", "lr", "seed", "device", "modalities", "features"]
OPTIONS += ["data", "out"]
TINY = ["--epochs", "2", "--dim", "8", "--negatives", "4", "--batch-size", "16", "--device", "cpu"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a folder that holds a small graph under each of the three names."""
    folder = tmp_path_factory.mktemp("data")
    store = graph(triples=120)
    for name in ("DB15K", "MKG-W", "MKG-Y"):
        (folder / name).mkdir()
        write_openke(store, folder / name)
        lines = [
            f"{i}\t{name}\tThing {i}\tthe {i}th thing of a small graph"
            for i, name in enumerate(store.entity_names)
        ]
        (folder / name / "labels.tsv").write_text("\n".join(lines) + "\n")
    return folder


def run(script, *options, cwd, expect=0):
    command = [sys.executable, str(EXAMPLES / script), *map(str, options)]
    environment = {**__import__("os").environ, "OPENKE_CACHE": str(cwd / "cache")}
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, env=environment, check=False, timeout=300
    )
    assert done.returncode == expect, done.stderr
    return done


def test_there_is_a_script_for_each_model_and_data_set_and_none_is_long():
    expected = {f"train_lbmkgc_{name}.py" for name in ("db15k", "mkgw", "mkgy")}
    expected |= {f"train_{name}_db15k.py" for name in ("transe", "rotate", "ikrl")}
    assert expected <= set(SCRIPTS)
    for name in SCRIPTS:
        assert len((EXAMPLES / name).read_text().splitlines()) < 60


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_trains_tests_and_writes_everything_down(script, data, tmp_path):
    out = tmp_path / "out"
    done = run(script, *TINY, "--data", data, "--out", out, cwd=tmp_path)
    model = {"lbmkgc": "LBMKGC", "transe": "TransE", "rotate": "RotatE", "ikrl": "IKRL"}[
        script.split("_")[1]
    ]
    assert "Hits@10" in done.stdout
    assert f"{model} on " in done.stdout
    assert ("structure only" in done.stdout) == (model in ("TransE", "RotatE"))
    if model == "LBMKGC":
        assert "text" in done.stdout
        assert "image" in done.stdout  # said to be missing
    report = json.loads((out / "report.json").read_text())
    assert report["model"] == model
    assert 0 < report["metrics"]["both"]["realistic"]["mrr"] <= 1
    settings = json.loads((out / "settings.json").read_text())
    assert settings["options"]["epochs"] == 2
    assert settings["model"]["settings"]["dim"] == 8
    assert settings["environment"]["torch"]
    rows = list(csv.DictReader((out / "training.csv").open()))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert load_file(out / "model.safetensors")
    assert (out / "last.ckpt").is_file()


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_explains_every_option(script, tmp_path):
    text = run(script, "--help", cwd=tmp_path).stdout
    for option in OPTIONS:
        assert f"--{option}" in text


def test_published_settings_are_the_defaults():
    sys.path.insert(0, str(EXAMPLES))
    try:
        import train_lbmkgc_db15k
        import train_lbmkgc_mkgw
        import train_lbmkgc_mkgy
    finally:
        sys.path.pop(0)
    published = {
        train_lbmkgc_db15k: (12.0, 1250, 2e-5),
        train_lbmkgc_mkgw: (16.0, 1000, 1e-5),
        train_lbmkgc_mkgy: (24.0, 1250, 1e-5),
    }
    for script, (margin, epochs, rate) in published.items():
        settings = script.Settings()
        assert (settings.margin, settings.epochs, settings.lr) == (margin, epochs, rate)
        assert (settings.dim, settings.negatives, settings.batch_size) == (500, 128, 512)
        assert (settings.adv_temperature, settings.regul_rate) == (4.0, 1e-5)


def test_a_run_is_neither_overwritten_nor_forgotten(data, tmp_path):
    options = [*TINY, "--data", data, "--out", tmp_path / "out"]
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
        ("train_rotate_db15k.py", ["--modalities", "text"], "this model uses structure only"),
        ("train_rotate_db15k.py", ["--device", "abacus"], "device 'abacus' is not available"),
        ("train_rotate_db15k.py", ["--patience", "2"], "--patience needs --validate-every"),
        ("train_rotate_db15k.py", ["--resume"], "--resume: there is no"),
        ("train_rotate_db15k.py", ["--negatives", "1000"], "1000"),
        ("train_rotate_db15k.py", ["--data", "nowhere"], "nowhere"),
    ],
)
def test_bad_options_are_one_clear_line(script, options, message, data, tmp_path):
    given = [*TINY, "--data", data, "--out", tmp_path / "out", *options]
    done = run(script, *given, cwd=tmp_path, expect=2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


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
