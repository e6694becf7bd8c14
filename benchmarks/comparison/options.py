"""What the scripts that train and test rows have in common on their command lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from common.measuring import RESULTS

from comparison.runs import Bench


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How rows are run, and where results go."""

    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds that are trained and tested; dev is seen by seed 0 only."""
    threads: int = 0
    """Threads of PyTorch and of the core; 0 leaves it to them."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    data: Path | None = None
    """Folder of the data sets; else OPENKE_DATA, benchmarks/, the cache and a download."""
    results: Path = RESULTS
    """Folder of results."""
    checkpoints: Path = Path("runs/rows")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the seeds."""
        if not self.seeds or min(self.seeds) < 0:
            raise ValueError(f"--seeds {self.seeds}: expected numbers from 0 on")

    def bench(self, folder: str) -> Bench:
        """Return where rows find their data and leave results, these in a folder of this name."""
        if self.threads:
            torch.set_num_threads(self.threads)
        return Bench(
            results=self.results / folder,
            checkpoints=self.checkpoints,
            data=self.data,
            device=self.device,
        )
