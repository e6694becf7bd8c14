"""Mixtures of LBMKGC on a graph with pictures: what pictures are worth beside text.

Their parts are rows of Table 1, whose epochs table1.py must have chosen before. What has results
already is not run again. `table1.py --render` shows the table.

    python benchmarks/mixtures.py --dataset Factbook --seeds 0 1 2 3 4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from common.measuring import RESULTS
from comparison.mixtures import MIXTURES, Models, rows_of, run_mixture
from comparison.runs import Bench
from comparison.table_rows import BUNDLED, PICTURE_GRAPHS

from openke.runtime.names import check_known
from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which mixtures, and how they are run."""

    dataset: str = BUNDLED
    """Factbook or OpenMoji."""
    mixtures: tuple[str, ...] = ()
    """Mixtures by name, such as "text and pictures"; by default all."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds that are trained and tested."""
    threads: int = 0
    """Threads of PyTorch and of the core; 0 leaves it to them."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    data: Path | None = None
    """Folder of the data sets; else OPENKE_DATA, benchmarks/, the cache and a download."""
    results: Path = RESULTS
    """Folder for mixtures/DATASET/*.json; its table1/ has the epochs."""
    checkpoints: Path = Path("runs/mixtures")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the names."""
        check_known("--dataset", self.dataset, PICTURE_GRAPHS)
        for name in self.mixtures:
            check_known("--mixtures", name, MIXTURES)
        if not self.seeds or min(self.seeds) < 0:
            raise ValueError(f"--seeds {self.seeds}: expected numbers from 0 on")


def main(settings: Settings) -> None:
    if settings.threads:
        torch.set_num_threads(settings.threads)
    bench, parts = (
        Bench(
            results=settings.results / folder,
            checkpoints=settings.checkpoints,
            data=settings.data,
            device=settings.device,
        )
        for folder in ("mixtures", "table1")
    )
    names = settings.mixtures or tuple(MIXTURES)
    for seed in settings.seeds:
        models: Models = {}
        for name in names:
            rows = rows_of(name, settings.dataset)
            run_mixture(name, rows, seed, bench, parts, models)
    print(
        f"{counted(len(names), 'mixture')} of {counted(len(settings.seeds), 'seed')}: "
        f"{bench.results}"
    )


if __name__ == "__main__":
    run_script(Settings, main)
