"""Measure training and evaluation on a GPU: steps a second, evaluation time, memory, waiting.

    python benchmarks/speed_gpu.py --dataset DB15K --out benchmarks/results/speed_gpu.json

RotatE and LBMKGC (random 768-d features of two modalities) are trained with sampled negatives,
ComplEx and LBMKGC against all entities, in each precision and compiled. An epoch is what a Trainer
does, sampling included; the median of several is reported, after two in which kernels are compiled
and steps are recorded. One more step runs under ``torch.cuda.set_sync_debug_mode("error")``, which
raises where the host waits for the GPU. Each model then ranks the whole test split, filtered, on
the GPU, and ``--check`` triples of it on the CPU, too. A way that fails is a row that says why.
"""

from __future__ import annotations

import json
import statistics
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
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
from openke.module.model import ComplEx, Reciprocal, RotatE
from openke.module.penalty import N3
from openke.module.strategy import NegativeSampling, OneVsAll, Strategy
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.json_text import read_json_file, through_json
from openke.runtime.script import run_script

WARM_UP = 2
"""Epochs before the clock starts: compilation, memory pools, recorded steps."""
MEASURED = ("dataset", "batch_size", "queries", "epochs", "check")
"""Settings that say what figures mean."""
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
    batch_size: int = 512
    """Positives in a step with sampled negatives."""
    queries: int = 1000
    """Queries in a step against all entities."""
    epochs: int = 5
    """Epochs on the clock."""
    only: tuple[str, ...] = ()
    """Measure these trainings alone, by the names the table has."""
    ways: tuple[str, ...] = tuple(WAYS)
    """Measure these ways alone; results of others stay in the file."""
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
            if way not in settings.ways or model not in (settings.only or [model]):
                continue
            rows.append({"model": model, "way": way, **attempt(settings, make, options)})
            print(f"{model}, {way}: {rows[-1].get('failed', 'done')}", flush=True)
    gpu = torch.cuda.get_device_name(settings.device)
    print(f"{gpu}, {store.name}, batch {settings.batch_size}, {settings.queries} queries")
    print(tabulate(rows, headers="keys", floatfmt=".3g"))
    if settings.out is not None:
        write(settings, rows, {"gpu": gpu, "environment": environment()})


def write(settings: Settings, rows: list[dict[str, Any]], where: dict[str, Any]) -> None:
    """Write rows beside those of other ways that the same machine and code had."""
    assert settings.out is not None
    chosen = {name: value for name, value in vars(settings).items() if name in MEASURED}
    found = {**where, "settings": chosen}
    if settings.out.exists():
        before = read_json_file(settings.out)
        if {name: before.get(name) for name in found} == through_json(found):
            again = {(row["model"], row["way"]) for row in rows}
            kept = [row for row in before["rows"] if (row["model"], row["way"]) not in again]
            rows = [*kept, *rows]
    write_text(settings.out, json.dumps({**found, "rows": rows}, indent=2) + "\n")


Training = tuple[Strategy, Loader]


def trainings(settings: Settings, store: TripleStore) -> dict[str, Callable[[], Training]]:
    """Return what is trained, by name."""
    sizes = store.entity_count, store.relation_count
    twice = store.entity_count, 2 * store.relation_count  # relations and their inverses

    def sampled(model: RotatE | LBMKGC, negatives: int) -> Training:
        whole = len(store.triples("train")) // settings.batch_size  # batches, all of one size
        loader = TrainDataLoader(
            store, batch_size=settings.batch_size, nbatches=whole, neg_ent=negatives
        )
        loss = SigmoidLoss(adv_temperature=2.0)
        return NegativeSampling(model, loss, regul_rate=1e-5), loader

    def against_all(model: ComplEx | LBMKGC) -> Training:
        loader = QueryDataLoader(store, batch_size=settings.queries)
        return OneVsAll(Reciprocal(model), penalty=N3(0.01)), loader

    def fused(modalities: tuple[str, ...], dim: int, *, inverses: bool, **options: Any) -> LBMKGC:
        features = random_features(store, modalities)
        return LBMKGC(*(twice if inverses else sizes), features, dim=dim, **options)

    both = ("image", "text")
    return {
        "RotatE d 250, K 64": lambda: sampled(RotatE(*sizes, dim=250), 64),
        "LBMKGC d 250, K 64": lambda: sampled(fused(both, 250, inverses=False), 64),
        "LBMKGC d 500, K 128": lambda: sampled(fused(both, 500, inverses=False), 128),
        "LBMKGC d 768, K 64": lambda: sampled(fused(both, 768, inverses=False), 64),
        "ComplEx d 250, 1-vs-all": lambda: against_all(ComplEx(*twice, dim=250)),
        "ComplEx d 500, 1-vs-all": lambda: against_all(ComplEx(*twice, dim=500)),
        "LBMKGC text d 250, 1-vs-all": lambda: against_all(
            fused(("text",), 250, inverses=True, interaction="ComplEx", gate="sum")
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


def random_features(store: TripleStore, modalities: tuple[str, ...]) -> dict[str, ModalFeatures]:
    """Return random 768-d features of all entities."""
    names = [str(i) for i in range(store.entity_count)]
    rows = torch.randn(len(names), 768)
    return {kind: ModalFeatures.from_rows(kind, names, rows, names) for kind in modalities}


def measure(
    settings: Settings, strategy: Strategy, loader: Loader, options: dict[str, Any]
) -> dict[str, Any]:
    """Return epoch time, steps a second, peak memory and whether a step waits."""
    trainer = Trainer(
        *(strategy, loader, WARM_UP + settings.epochs, 1e-4),
        **{"opt_method": "adam", "device": settings.device, "progress": False, **options},
    )
    torch.cuda.reset_peak_memory_stats()
    records = trainer.run().records[WARM_UP:]
    seconds = statistics.median(record["seconds"] for record in records)
    replayed = trainer._graphs.replayed if trainer._graphs else 0
    return {
        "ms a step": 1000 * seconds / len(loader),
        "steps/s": len(loader) / seconds,
        "epoch s": seconds,
        "replayed": f"{replayed}/{len(loader) * trainer.train_times}",
        "peak MiB": torch.cuda.max_memory_allocated() / 2**20,
        "waits": waits(trainer, next(iter(loader.epoch(0)))) or "never",
        **evaluate(settings, strategy, loader.store),
    }


def evaluate(settings: Settings, strategy: Strategy, store: TripleStore) -> dict[str, Any]:
    """Return the time and MRR of the filtered test, and how far the CPU's MRR is from the GPU's."""

    def mrr(asked: TripleStore, device: str) -> float:
        tester = Tester(strategy.model, TestDataLoader(asked), device=device, progress=False)
        return tester.rank("test").metrics()["mrr"]

    mrr(store, settings.device)  # compiles what is not compiled yet
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
    there = batch.to(trainer.device)
    trainer._train_on(there)  # of this layout a step may still have to be compiled
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer._train_on(there)
    except RuntimeError as error:
        return str(error).splitlines()[0]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


if __name__ == "__main__":
    run_script(Settings, main)
