"""The GPU script says what it needs, and its way through the package is right."""

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from lbmkgc_models.model.lbmkgc import LBMKGC
from tests.contracts.graphs import ENTITIES, RELATIONS, graph

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


@pytest.mark.skipif(torch.cuda.is_available(), reason="the real thing runs instead")
def test_everything_but_the_gpu_runs(script, monkeypatch):
    for name in ("synchronize", "reset_peak_memory_stats"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda *_: 2**20)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", lambda mode: None)
    monkeypatch.setattr(script.TrainDataLoader, "prepare", lambda self, *, pairs, pin: None)
    store = graph()
    model = LBMKGC(ENTITIES, RELATIONS, script.random_features(store), dim=4)
    settings = script.Settings(negatives=3, batch_size=8, steps=3, device="cpu")
    found = script.measure(settings, store, model, {})
    assert found["steps/s"] > 0
    assert found["peak MiB"] == 1
    assert found["waits"] == "never"
