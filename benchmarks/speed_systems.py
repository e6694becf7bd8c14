"""Measure an epoch of systems that see all entities in each step, with published settings.

Some steps are timed after a few that are not, and reckoned up to an epoch, as is what comes before
one. Each system has a process of its own, so that its peak of memory is its own. Features are
random, of the published sizes: which numbers they are changes nothing. Writes figures.

    python benchmarks/speed_systems.py --threads 1
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from common.measuring import SpeedSettings, alone
from common.published_features import SIZES, published_features
from comparison.table_rows import FOLDER, read_row
from tabulate import tabulate

from lbmkgc_models.runs.make_trainer import make_trainer
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.environment import environment
from openke.runtime.files import write_text
from openke.runtime.script import run_script

WARM_UP = 2
"""Steps before the clock starts: the optimiser's state and memory are made."""


@dataclass(frozen=True, kw_only=True)
class Settings(SpeedSettings):
    """Options of this script."""

    dataset: str = "DB15K"
    """Name of a data set; settings are those published for DB15K."""
    data: Path | None = None
    """Folder of the data set; else OPENKE_DATA, benchmarks/, the cache and a download."""
    steps: int = 5
    """Steps on the clock."""
    systems: tuple[str, ...] = tuple(SIZES)
    """Measure these alone."""

    def __post_init__(self) -> None:
        """Check the values."""
        super().__post_init__()
        if self.steps < 1:
            raise ValueError(f"--steps {self.steps}: expected at least 1")
        for name in self.systems:
            if name not in SIZES:
                raise ValueError(f"--systems {name!r}: expected {', '.join(SIZES)}")


@dataclass(frozen=True, kw_only=True)
class Times:
    """What was measured of one system; seconds of the processor, and those on the wall."""

    batch: int
    """Queries in a step."""
    steps: int
    """Steps of an epoch."""
    measured: int
    """Steps on the clock."""
    before: float
    """Seconds of the processor for what is made anew before an epoch."""
    before_wall: float
    step: float
    """Seconds of the processor for a step, the median."""
    step_wall: float

    @property
    def epoch(self) -> float:
        """Seconds of the processor for an epoch, reckoned."""
        return self.before + self.steps * self.step

    @property
    def epoch_wall(self) -> float:
        """The same on the wall."""
        return self.before_wall + self.steps * self.step_wall


def measure(folder: Path, name: str, steps: int) -> Times:
    """Train a few steps of a system."""
    store = TripleStore.open(folder)
    recipe = read_row(FOLDER / "DB15K" / f"{name}.published.json").recipe
    given = published_features(name, store.entity_count)
    trainer = make_trainer(recipe, store, given, device="cpu", progress=False)
    loader, strategy = trainer.data_loader, trainer.strategy.train()
    loader.prepare(strategy.prepare, pin=False)
    before = timed(lambda: strategy.begin_epoch(0))
    taken = []
    for batch in islice(loader.epoch(0), WARM_UP + steps):
        taken.append(timed(lambda batch=batch: trainer._train_on(batch)))
    processor, wall = zip(*taken[WARM_UP:] or taken[-1:], strict=True)
    return Times(
        batch=recipe.training.batch_size,
        steps=len(loader),
        measured=len(processor),
        before=before[0],
        before_wall=before[1],
        step=statistics.median(processor),
        step_wall=statistics.median(wall),
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds of the processor, of all threads together, and those on the wall."""
    processor, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - processor, time.perf_counter() - wall


def main(settings: Settings) -> None:
    folder = find_dataset(settings.dataset, settings.data)
    rows = []
    for name in settings.systems[: 1 if settings.quick else None]:
        steps = 1 if settings.quick else settings.steps
        times, memory = alone(measure, folder, name, steps, threads=settings.threads)
        reckoned = {"epoch": times.epoch, "epoch_wall": times.epoch_wall, "memory_mb": memory}
        rows.append({"system": name, **asdict(times), **reckoned})
        print(f"{name}: an epoch {times.epoch:.0f} s, {memory:.0f} MB", flush=True)
    threads = f"{settings.threads} thread{'s' if settings.threads > 1 else ''}"
    print(f"\nAn epoch on {settings.dataset}, reckoned from some steps, {threads}; seconds\n")
    print(tabulate(rows, headers="keys", floatfmt=".3g"))
    if settings.quick:
        return
    content = {
        "dataset": settings.dataset,
        "threads": settings.threads,
        "environment": environment(),
        "rows": rows,
    }
    path = settings.out / "speed_systems.json"
    write_text(path, json.dumps(content, indent=2) + "\n")
    print(f"\nwritten to {path}")


if __name__ == "__main__":
    run_script(Settings, main)
