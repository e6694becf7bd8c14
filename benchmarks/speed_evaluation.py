"""Measure a full filtered evaluation, against batches of queries in compiled PyTorch.

On synthetic graphs of growing size and a real one. Writes figures and a plot.

    python benchmarks/speed_evaluation.py
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.measuring import Measurement, SpeedSettings, compared, finish
from common.plain_evaluation import PlainEvaluation
from common.speed_models import own_model, plain_model

from openke.config import Tester
from openke.data import TestDataLoader
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.script import run_script

MODELS = ("TransE", "ComplEx", "RotatE", "LBMKGC")
ENTITIES = (3_000, 12_000)
TRIPLES = 4
"""Train triples for each entity of the synthetic graphs; a tenth as many are ranked."""
TIMES = 3
"""Rankings of each side, of which the median counts."""
WARM_UP = 20
"""One of so many triples is ranked before the plain side's time counts: then it is compiled."""


@dataclass(frozen=True, kw_only=True)
class Settings(SpeedSettings):
    """Options of this script."""

    dataset: str = "DB15K"
    """Name of a real data set."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""


def graph(source: Path | int) -> TripleStore:
    """Open a data set, or make a random one of that many entities."""
    if isinstance(source, Path):
        return TripleStore.open(source)
    random = np.random.default_rng(0)
    train, test = (
        np.column_stack([random.integers(source, size=n), random.integers(100, size=n), ends[:n]])
        for n in (source * TRIPLES, source * TRIPLES // 10)
        for ends in [random.integers(source, size=n)]
    )
    return TripleStore.from_triples(train, test=test, entities=source, relations=100)


def ours(source: Path | int, name: str) -> float:
    """Return the seconds of ranking the test split."""
    store = graph(source)
    model = own_model(name, store.entity_count, store.relation_count)
    loader = TestDataLoader(store, type_constrain=False)
    tester = Tester(model, loader, device="cpu", progress=False)
    return statistics.median(tester.rank("test").seconds for _ in range(TIMES))


def plain(source: Path | int, name: str) -> float:
    """Return the seconds of ranking the test split."""
    store = graph(source)
    model = plain_model(name, store.entity_count, store.relation_count).eval()
    evaluation = PlainEvaluation(model, store)
    triples = store.triples("test")
    evaluation.ranks(triples[::WARM_UP])
    taken = []
    for _ in range(TIMES):
        before = time.perf_counter()
        evaluation.ranks(triples)
        taken.append(time.perf_counter() - before)
    return statistics.median(taken)


def measured(source: Path | int, name: str, settings: Settings) -> Measurement:
    """Measure both sides of one row."""
    real = isinstance(source, Path)
    return compared(
        name,
        graph(source).entity_count,
        (ours, (source, name)),
        (plain, (source, name)),
        threads=settings.threads,
        note=settings.dataset if real else "synthetic",
    )


def main(settings: Settings) -> None:
    sources = [*ENTITIES[: 1 if settings.quick else None]]
    real = [] if settings.quick else [find_dataset(settings.dataset, settings.data)]
    rows = [measured(source, name, settings) for name in MODELS for source in [*sources, *real]]
    title = "A full filtered evaluation, 500 reals per entity"
    finish("speed_evaluation", title, "entities", rows, settings)


if __name__ == "__main__":
    run_script(Settings, main)
