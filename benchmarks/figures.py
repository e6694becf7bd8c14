"""Draw the paper's figures anew, of the results that are there.

3 drops pictures; 4 shows what they weigh beside text; 6 gives other systems aligned and completed
features; 7 is what another seed changes; 8 has other settings; 9 the time of a training step by
system. (5 is the imbalance that ``openke features report`` draws.) Each writes figureN.png beside
the results. With --run, 3, 4, 6 and 8 first train what is missing on the bundled graph; a run that
was stopped goes on from its checkpoint.

    python benchmarks/figures.py --figure 3 --run
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

import torch
from common.measuring import RESULTS
from comparison.figures import completed, dropped, seeds, sensitivity, step_time, weights
from comparison.runs import Bench

from openke.runtime.script import run_script

FIGURES: dict[int, ModuleType] = {
    3: dropped,
    4: weights,
    6: completed,
    7: seeds,
    8: sensitivity,
    9: step_time,
}
"""Modules by the figure's number in the paper."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which figure, of what."""

    figure: Literal[3, 4, 6, 7, 8, 9]
    """Its number in the paper."""
    run: bool = False
    """Train what is missing before it is drawn; of 3, 4, 6 and 8."""
    seeds: tuple[int, ...] = (0,)
    """Seeds that are trained and tested for 3 and 6; valid is seen by seed 0 only."""
    threads: int = 0
    """Threads of PyTorch and of the core; 0 leaves it to them."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    results: Path = RESULTS
    """Folder of results, and for figureN.png."""
    checkpoints: Path = Path("runs/figures")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check what can be run."""
        if self.run and not hasattr(FIGURES[self.figure], "run"):
            raise ValueError(
                f"--run: figure {self.figure} has no runs of its own; "
                "run table1.py or speed_training.py"
            )
        if not self.seeds or min(self.seeds) < 0:
            raise ValueError(f"--seeds {self.seeds}: expected numbers from 0 on")


def main(settings: Settings) -> None:
    figure = FIGURES[settings.figure]
    if settings.threads:
        torch.set_num_threads(settings.threads)
    if settings.run:
        bench = Bench(
            results=settings.results / figure.FOLDER,
            checkpoints=settings.checkpoints / figure.FOLDER,
            device=settings.device,
        )
        figure.run(settings.seeds, bench)
    path = settings.results / f"figure{settings.figure}.png"
    figure.draw(path, figure.shown(settings.results))
    print(f"written to {path}")


if __name__ == "__main__":
    run_script(Settings, main)
