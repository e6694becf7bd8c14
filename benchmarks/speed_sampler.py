"""Measure how fast negatives are drawn: 64 of each positive, filtered, Bernoulli, against NumPy.

Writes figures and a plot.

    python benchmarks/speed_sampler.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common.measuring import SpeedSettings, compared, finish, repeated
from common.plain_data import draw_negatives

from openke.data.sampler import Sampler
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.script import run_script

NEGATIVES = 64
BATCHES = (128, 512, 2048, 8192, 32768)


@dataclass(frozen=True, kw_only=True)
class Settings(SpeedSettings):
    """Options of this script."""

    dataset: str = "DB15K"
    """Name of a data set."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""


def ours(folder: Path, batch: int, threads: int) -> float:
    """Return the seconds of drawing one batch."""
    store = TripleStore.open(folder)
    sampler = Sampler(
        store, entity_negatives=NEGATIVES, bernoulli=True, filtered=True, threads=threads
    )
    rows = sampler.order(0)[:batch]
    return repeated(lambda: sampler.draw(rows, epoch=0, first=0))


def plain(folder: Path, batch: int) -> float:
    """Return the seconds of drawing one batch with NumPy."""
    store = TripleStore.open(folder)
    train = store.triples("train")
    draw = draw_negatives(store, np.random.default_rng(0), NEGATIVES)
    rows = np.random.default_rng(1).permutation(len(train))[:batch]
    return repeated(lambda: draw(train[rows]))


def main(settings: Settings) -> None:
    folder = find_dataset(settings.dataset, settings.data)
    rows = [
        compared(
            "sampler",
            batch * NEGATIVES,
            (ours, (folder, batch, settings.threads)),
            (plain, (folder, batch)),
            threads=settings.threads,
        )
        for batch in BATCHES[: 1 if settings.quick else None]
    ]
    fastest = max(row.size / row.seconds for row in rows)
    print(f"\nat best {fastest / 1e6:.0f} million negatives a second")
    finish(
        "speed_sampler",
        f"Drawing {NEGATIVES} filtered negatives of each triple of {settings.dataset}",
        "negatives",
        rows,
        settings,
    )


if __name__ == "__main__":
    run_script(Settings, main)
