"""Measure the time and memory of a training step, against PyTorch alone, eager and compiled.

A step is sampling, forward, backward and Adam; of adversarial systems those of both sides. Sizes
are negatives of each triple; those of KBGAN and MMRNS are what these choose from. How long
compiling takes does not count. Writes figures and a plot.

    python benchmarks/speed_training.py
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np
from common.measuring import Measurement, SpeedSettings, compared, finish, repeated
from common.speed_models import LOADERS, own_strategy, plain_training

from openke.config import Trainer
from openke.data import TrainDataLoader
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.script import run_script

BATCH = 512
WARM_UP = 4
"""Steps before time counts: the first are compiled, once for a size and once for any."""
NEGATIVES = {
    "TransE": (16, 64),
    "RotatE": (16, 64),
    "TBKGC": (16,),
    "QEB": (16,),
    "MMKRL": (16,),
    "TransAE": (16,),
    "AdaMF": (16,),
    "KBGAN": (20,),
    "MANS": (16,),
    "AdaMF-MAT": (16,),
    "MMRNS": (1500,),
    "LBMKGC": (16, 32),
}
"""Systems, and the numbers of negatives they are timed with."""


@dataclass(frozen=True, kw_only=True)
class Settings(SpeedSettings):
    """Options of this script."""

    dataset: str = "DB15K"
    """Name of a data set."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""
    systems: tuple[str, ...] = tuple(NEGATIVES)
    """Which systems; only a table of all is written."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        for name in self.systems:
            if name not in NEGATIVES:
                raise ValueError(f"--systems {name}: expected some of {', '.join(NEGATIVES)}")


def ours(folder: Path, name: str, negatives: int, shared: bool, threads: int) -> float:
    """Return the seconds of a step: those of short epochs by the Trainer, over their steps."""
    store = TripleStore.open(folder)
    loader = TrainDataLoader(
        store,
        batch_size=BATCH,
        nbatches=12,
        neg_ent=negatives,
        threads=threads,
        **{"bern_flag": True, "negatives": "shared" if shared else "own", **LOADERS.get(name, {})},
    )
    trainer = Trainer(
        own_strategy(name, store.entity_count, store.relation_count),
        loader,
        1,
        1e-3,
        opt_method="adam",
        device="cpu",
        progress=False,
    )

    def epoch() -> None:
        trainer.set_train_times(trainer.epoch + 1)
        trainer.run()

    return repeated(epoch) / len(loader)


def plain(folder: Path, name: str, negatives: int, shared: bool, compiled: bool) -> float:
    """Return the seconds of a step in PyTorch, negatives drawn by NumPy."""
    store = TripleStore.open(folder)
    train = store.triples("train")
    training = plain_training(name, store, negatives, compiled=compiled, shared=shared)
    order = np.random.default_rng(0).permutation(len(train))
    whole = len(order) // BATCH * BATCH  # batches of one size
    batches = cycle(order[:whole].reshape(-1, BATCH))

    def one() -> None:
        training.step(train[next(batches)])

    for _ in range(WARM_UP):
        one()
    return repeated(one)


def measured(folder: Path, name: str, negatives: int, shared: bool, threads: int) -> Measurement:
    """Measure all sides of one row."""
    return compared(
        f"{name}, shared negatives" if shared else name,
        negatives,
        (ours, (folder, name, negatives, shared, threads)),
        (plain, (folder, name, negatives, shared, False)),
        compiled=(plain, (folder, name, negatives, shared, True)),
        threads=threads,
    )


def main(settings: Settings) -> None:
    folder = find_dataset(settings.dataset, settings.data)
    rows = [
        measured(folder, name, negatives, shared, settings.threads)
        for name, sizes in NEGATIVES.items()
        if name in settings.systems
        for shared in ((False, True) if name == "LBMKGC" else (False,))
        for negatives in sizes[: 1 if settings.quick else None]
    ]
    title = f"A training step on {settings.dataset}, batch {BATCH}, 500 reals per entity"
    whole = set(settings.systems) == set(NEGATIVES)
    finish("speed_training", title, "negatives", rows, settings, write=whole)


if __name__ == "__main__":
    run_script(Settings, main)
