"""Measure training and evaluation on a GPU: steps a second, evaluation time, memory, waiting.

    python benchmarks/speed_gpu.py --dataset DB15K --negatives 64

For RotatE and LBMKGC (random 768-d features of two modalities), plain, in bfloat16 and compiled.
One more step runs under ``torch.cuda.set_sync_debug_mode("error")``, which raises where the host
waits for the GPU.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model.lbmkgc import LBMKGC
from openke.config import Tester, Trainer
from openke.data import TestDataLoader, TrainDataLoader, TripleStore
from openke.datasets.search import find_dataset
from openke.module.loss import SigmoidLoss
from openke.module.model import Model, RotatE
from openke.module.strategy import NegativeSampling
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.script import run_script

WARM_UP = 20
"""Steps before the clock starts: compilation, memory pools, first kernels."""
WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "bfloat16": {"precision": "bfloat16"},
    "float32 compiled": {"compile": True},
    "bfloat16 compiled": {"precision": "bfloat16", "compile": True},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What to measure."""

    dataset: str = "DB15K"
    """Name of a data set, or of a folder under OPENKE_DATA."""
    dim: int = 250
    """Complex coordinates of an entity."""
    negatives: int = 64
    """Negatives of each positive."""
    batch_size: int = 512
    """Positives in a step."""
    steps: int = 200
    """Steps on the clock."""
    device: str = "cuda"
    """cuda, cuda:1."""
    out: Path | None = None
    """Write what was measured there, as JSON."""


def main(settings: Settings) -> None:
    """Measure and print a table."""
    if not torch.cuda.is_available():
        raise SystemExit(
            "speed_gpu.py needs an NVIDIA GPU and a PyTorch with CUDA, and torch.cuda finds none "
            "here; speed on the CPU is measured by the other scripts of this folder"
        )
    store = TripleStore.open(find_dataset(settings.dataset))
    models: dict[str, Callable[[], Model]] = {
        "RotatE": lambda: RotatE(store.entity_count, store.relation_count, dim=settings.dim),
        "LBMKGC": lambda: LBMKGC(
            *(store.entity_count, store.relation_count, random_features(store)), dim=settings.dim
        ),
    }
    rows = [
        {"model": name, "way": way, **measure(settings, store, make(), options)}
        for name, make in models.items()
        for way, options in WAYS.items()
    ]
    gpu = torch.cuda.get_device_name(settings.device)
    print(f"{gpu}, {store.name}, batch {settings.batch_size}, {settings.negatives} negatives")
    print(tabulate(rows, headers="keys", floatfmt=".3g"))
    if settings.out is not None:
        found = {"gpu": gpu, "environment": environment(), "rows": rows}
        write_text(settings.out, json.dumps(found, indent=2) + "\n")


def random_features(store: TripleStore) -> dict[str, ModalFeatures]:
    """Return random features of two modalities for all entities."""
    names = [str(i) for i in range(store.entity_count)]
    rows = torch.randn(len(names), 768)
    return {kind: ModalFeatures.from_rows(kind, names, rows, names) for kind in ("image", "text")}


def measure(
    settings: Settings, store: TripleStore, model: Model, options: dict[str, Any]
) -> dict[str, Any]:
    """Return steps a second, evaluation time, peak memory and whether a step waits."""
    loader = TrainDataLoader(store, batch_size=settings.batch_size, neg_ent=settings.negatives)
    strategy = NegativeSampling(model, SigmoidLoss(adv_temperature=2.0), regul_rate=1e-5)
    trainer = Trainer(
        *(strategy, loader, 1, 1e-4),
        **{"opt_method": "adam", "device": settings.device, "progress": False, **options},
    )
    loader.prepare(pairs=model.projects_entities, pin=True)
    batches = (batch.to(trainer.device) for epoch in count() for batch in loader.epoch(epoch))
    for batch in islice(batches, WARM_UP):
        trainer._step(batch)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    for batch in islice(batches, settings.steps):
        trainer._step(batch)
    torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    waited = waits(trainer, next(batches))
    peak = torch.cuda.max_memory_allocated() / 2**20
    started = time.perf_counter()
    tester = Tester(model, TestDataLoader(store), device=settings.device, progress=False)
    tester.rank("test")
    return {
        "steps/s": settings.steps / seconds,
        "test s": time.perf_counter() - started,
        "peak MiB": peak,
        "waits": waited or "never",
    }


def waits(trainer: Trainer, batch: Any) -> str:
    """Return what in a step makes the host wait for the GPU; "" where nothing does."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer._step(batch)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


if __name__ == "__main__":
    run_script(Settings, main)
