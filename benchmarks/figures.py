"""Draw the paper's figures anew, of the results that are there.

3 drops pictures; 4 shows what they weigh beside text; 5 is how many entities have some; 6 gives
other systems aligned and completed features; 7 is what another seed changes; 8 has other settings;
9 the time of a training step by system. Each writes figureN.png beside the results. With --run, 3,
4, 6 and 8 first train what is missing on the bundled graph, a run that was stopped going on from
its checkpoint, and 5 counts.

    python benchmarks/figures.py --figure 3 --run
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Literal

from comparison.figures import (
    completed,
    dropped,
    imbalance,
    seeds,
    sensitivity,
    step_time,
    weights,
)
from comparison.options import RunSettings

from openke.runtime.script import run_script

FIGURES: dict[int, ModuleType] = {
    3: dropped,
    4: weights,
    5: imbalance,
    6: completed,
    7: seeds,
    8: sensitivity,
    9: step_time,
}
"""Modules by the figure's number in the paper."""


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Which figure, of what."""

    figure: Literal[3, 4, 5, 6, 7, 8, 9]
    """Its number in the paper."""
    run: bool = False
    """Train what is missing before it is drawn, of 3, 4, 6 and 8; of 5, count."""
    seeds: tuple[int, ...] = (0,)
    """Seeds that are trained and tested for 3 and 6; valid is seen by seed 0 only."""
    checkpoints: Path = Path("runs/figures")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check what can be run, too."""
        super().__post_init__()
        if self.run and not hasattr(FIGURES[self.figure], "run"):
            raise ValueError(
                f"--run: figure {self.figure} has no runs of its own; "
                "run table1.py or speed_training.py"
            )


def main(settings: Settings) -> None:
    figure = FIGURES[settings.figure]
    if settings.run:
        figure.run(settings.seeds, settings.bench(figure.FOLDER))
    path = settings.results / f"figure{settings.figure}.png"
    figure.draw(path, figure.shown(settings.results))
    print(f"written to {path}")


if __name__ == "__main__":
    run_script(Settings, main)
