"""Draw the paper's figures anew, of the results that are there.

7 is what another seed changes; 9 the time of a training step by system. Each writes
figureN.png beside the results.

    python benchmarks/figures.py --figure 7
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from common.measuring import RESULTS
from comparison.entries import read_entries, read_paper
from comparison.figure_seeds import draw_seeds
from comparison.figure_time import draw_time

from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which figure, of what."""

    figure: Literal[7, 9]
    """Its number in the paper."""
    model: str = "LBMKGC"
    """Row of the results whose seeds figure 7 shows."""
    results: Path = RESULTS
    """Folder of results, and for figureN.png."""


def main(settings: Settings) -> None:
    path = settings.results / f"figure{settings.figure}.png"
    if settings.figure == 7:
        entries = read_entries(settings.results / "table1", read_paper())
        draw_seeds(path, entries, settings.model)
    else:
        draw_time(path, settings.results / "speed_training.json")
    print(f"written to {path}")


if __name__ == "__main__":
    run_script(Settings, main)
