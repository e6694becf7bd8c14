"""Measure training and evaluation on a GPU: steps a second, evaluation time, memory, waiting.

    python benchmarks/speed_gpu.py --dataset DB15K --out benchmarks/results/speed_gpu.json

For RotatE and LBMKGC (random 768-d features of two modalities) with sampled negatives and ComplEx
against all entities, in each precision and compiled. Steps are counted with the loader that feeds
them. One more step runs under ``torch.cuda.set_sync_debug_mode("error")``, which raises where the
host waits for the GPU. The trained model then ranks the whole test split, filtered, on the GPU, and
``--check`` triples of it on the CPU, too. A way that fails is a row that says why.
"""

from __future__ import annotations

import json
import time
import traceback
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
from openke.data.loader import Loader
from openke.data.query_data_loader import QueryDataLoader
from openke.datasets.search import find_dataset
from openke.module.loss import SigmoidLoss
from openke.module.model import ComplEx, RotatE
from openke.module.strategy import NegativeSampling, OneVsAll, Strategy
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.script import run_script

WARM_UP = 20
"""Steps before the clock starts: compilation, memory pools, first kernels."""
WAYS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float32-ieee": {"precision": "float32-ieee"},
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
    check: int = 500
    """Test triples that the CPU ranks, too; 0 ranks none."""
    device: str = "cuda"
    """cuda, cuda:1."""
    out: Path | None = None
    """Write what was measured there, as JSON."""


def main(settings: Settings) -> None:
    """Measure where there is a GPU."""
    if not torch.cuda.is_available():
        raise SystemExit(
            "speed_gpu.py needs an NVIDIA GPU and a PyTorch with CUDA, and torch.cuda finds none "
            "here; speed on the CPU is measured by the other scripts of this folder"
        )
    report(settings)


def report(settings: Settings) -> None:
    """Measure every training in every way; print and write what was found."""
    store = TripleStore.open(find_dataset(settings.dataset))
    rows = []
    for model, make in trainings(settings, store).items():
        for way, options in WAYS.items():
            rows.append({"model": model, "way": way, **attempt(settings, make, options)})
            print(f"{model}, {way}: {rows[-1].get('failed', 'done')}", flush=True)
    gpu = torch.cuda.get_device_name(settings.device)
    print(f"{gpu}, {store.name}, batch {settings.batch_size}, {settings.negatives} negatives")
    print(tabulate(rows, headers="keys", floatfmt=".3g"))
    if settings.out is not None:
        found = {"gpu": gpu, "environment": environment(), "rows": rows}
        write_text(settings.out, json.dumps(found, indent=2) + "\n")


Training = tuple[Strategy, Loader]


def trainings(settings: Settings, store: TripleStore) -> dict[str, Callable[[], Training]]:
    """Return what is trained, by name."""
    sizes = store.entity_count, store.relation_count

    def sampled(model: RotatE | LBMKGC) -> Training:
        loader = TrainDataLoader(store, batch_size=settings.batch_size, neg_ent=settings.negatives)
        loss = SigmoidLoss(adv_temperature=2.0)
        return NegativeSampling(model, loss, regul_rate=1e-5), loader

    return {
        "RotatE": lambda: sampled(RotatE(*sizes, dim=settings.dim)),
        "LBMKGC": lambda: sampled(LBMKGC(*sizes, random_features(store), dim=settings.dim)),
        "ComplEx 1-vs-all": lambda: (
            OneVsAll(ComplEx(*sizes, dim=settings.dim)),
            QueryDataLoader(store, batch_size=settings.batch_size),
        ),
    }


def attempt(
    settings: Settings, make: Callable[[], Training], options: dict[str, Any]
) -> dict[str, Any]:
    """Return what was measured, or why nothing could be."""
    torch.manual_seed(0)
    torch.compiler.reset()
    try:
        return measure(settings, *make(), options)
    except Exception as error:  # whatever it is, the other ways are measured
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {str(error).splitlines()[0][:100]}"}


def random_features(store: TripleStore) -> dict[str, ModalFeatures]:
    """Return random features of two modalities for all entities."""
    names = [str(i) for i in range(store.entity_count)]
    rows = torch.randn(len(names), 768)
    return {kind: ModalFeatures.from_rows(kind, names, rows, names) for kind in ("image", "text")}


def measure(
    settings: Settings, strategy: Strategy, loader: Loader, options: dict[str, Any]
) -> dict[str, Any]:
    """Return steps a second, evaluation time, peak memory and whether a step waits."""
    trainer = Trainer(
        *(strategy, loader, 1, 1e-4),
        **{"opt_method": "adam", "device": settings.device, "progress": False, **options},
    )
    strategy.train()
    loader.prepare(strategy.prepare, pin=trainer.device.type == "cuda")
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
    return {
        "steps/s": settings.steps / seconds,
        "peak MiB": peak,
        "waits": waited or "never",
        **evaluate(settings, strategy, loader.store),
    }


def evaluate(settings: Settings, strategy: Strategy, store: TripleStore) -> dict[str, Any]:
    """Return the time and MRR of the filtered test, and how far the CPU's MRR is from the GPU's."""

    def mrr(asked: TripleStore, device: str) -> float:
        tester = Tester(strategy.model, TestDataLoader(asked), device=device, progress=False)
        return tester.rank("test").metrics()["mrr"]

    started = time.perf_counter()
    found = {"MRR": mrr(store, settings.device), "test s": time.perf_counter() - started}
    if not settings.check:
        return found
    test = store.triples("test")
    part = TripleStore.from_triples(
        *(store.triples("train"), store.triples("valid"), test[:: -(-len(test) // settings.check)]),
        entities=store.entity_count,
        relations=store.relation_count,
    )
    there, here = mrr(part, settings.device), mrr(part, "cpu")
    return {**found, "MRR, GPU - CPU": there - here}


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
