"""The GPU script says what it needs, and its way through the package is right."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from openke.training.precision import PRECISIONS
from tests.contracts.graphs import graph

PATH = Path(__file__).parents[2] / "benchmarks" / "speed_gpu.py"


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("speed_gpu", PATH)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "speed_gpu", module)  # where its dataclass looks for itself
    spec.loader.exec_module(module)
    return module


def test_without_a_gpu_it_says_so(script, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="needs an NVIDIA GPU and a PyTorch with CUDA"):
        script.main(script.Settings())


@pytest.fixture
def _no_gpu(script, monkeypatch):
    """Let the CPU stand for the GPU."""
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda *_: 2**20)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "no GPU at all")
    monkeypatch.setattr(script, "find_dataset", lambda name: name)
    monkeypatch.setattr(script.TripleStore, "open", lambda name: graph(entities=130, triples=120))


def small(script, **options):
    given = {"batch_size": 8, "queries": 9, "epochs": 2, "device": "cpu", "check": 5}
    return script.Settings(**given, **options)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the real thing runs instead")
@pytest.mark.usefixtures("_no_gpu")
def test_everything_but_the_gpu_runs(script, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(script, "WAYS", {"float32": {}, "int4": {"precision": "int4"}})
    measured = small(script, out=tmp_path / "found.json", ways=("float32", "int4"))
    script.report(measured)
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["gpu"] == "no GPU at all"
    rows = found["rows"]
    models = list(script.trainings(measured, script.TripleStore.open("")))
    assert len(models) > 5
    assert [(row["model"], row["way"]) for row in rows] == [
        (model, way) for model in models for way in ("float32", "int4")
    ]
    for done, failed in zip(rows[::2], rows[1::2], strict=True):
        assert done["steps/s"] > 0
        assert done["test s"] > 0
        assert 0 < done["MRR"] <= 1
        assert done["peak MiB"] == 1
        assert done["waits"] == "never"
        assert done["MRR, GPU - CPU"] == 0
        assert failed["failed"].startswith("ValueError: precision is 'int4'")
    assert "ValueError: precision is 'int4'" in capsys.readouterr().out
    # Measured again, a row stands there once; the others stay.
    script.report(replace(measured, ways=("float32",), only=(models[-1],)))
    again = json.loads((tmp_path / "found.json").read_text())["rows"]
    assert again[:-1] == [row for row in rows if row != rows[-2]]
    assert (again[-1]["model"], again[-1]["way"]) == (models[-1], "float32")
    script.report(replace(measured, epochs=1, ways=("int4",)))
    assert len(json.loads((tmp_path / "found.json").read_text())["rows"]) == len(models)


def test_every_way_is_one_of_the_trainer(script):
    for options in script.WAYS.values():
        assert options.get("precision", "float32") in PRECISIONS
        assert set(options) <= {"precision", "compile"}
