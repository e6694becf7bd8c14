"""Table 1 anew: every row trained by the same code, chosen on dev, tested once.

Each row has a file benchmarks/settings/DATASET/ROW.MODE.json. What has results already is not run
again, and a run that was stopped goes on from its checkpoint; several of these can work at once on
different rows. With --render, only the tables are written, beside the paper's figures.

    python benchmarks/table1.py --rows ComplEx --datasets MKG-W --seeds 0 1 2
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from common.measuring import RESULTS
from comparison.page import PAGE, README, write_pages
from comparison.runs import Bench, run_row
from comparison.table_rows import DATASETS, KNOWN_DATASETS, MODES, TUNED, find_rows

from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which rows, and how they are run."""

    rows: tuple[str, ...] = ()
    """Rows by name, such as TransE "LBMKGC without text"; by default all."""
    datasets: tuple[str, ...] = DATASETS
    """Data sets: those of the paper; Factbook, the bundled graph, and OpenMoji, which
    openmoji_build.py makes, are others."""
    modes: tuple[str, ...] = (TUNED,)
    """tuned: our settings, epochs chosen on dev; published: published settings, a fixed number of
    epochs, which takes hours to days."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Seeds that are trained and tested; dev is seen by seed 0 only."""
    render: bool = False
    """Run nothing; write the tables of all results there are; if these are in the project's own
    folder, also those of README.md and docs/results.md."""
    threads: int = 0
    """Threads of PyTorch and of the core; 0 leaves it to them."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    data: Path | None = None
    """Folder of the data sets; else OPENKE_DATA, benchmarks/, the cache and a download."""
    results: Path = RESULTS
    """Folder for table1/DATASET/*.json, table1.md, .tex and .png."""
    checkpoints: Path = Path("runs/table1")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the names."""
        for dataset in self.datasets:
            if dataset not in KNOWN_DATASETS:
                raise ValueError(f"--datasets {dataset!r}: expected {', '.join(KNOWN_DATASETS)}")
        for mode in self.modes:
            if mode not in MODES:
                raise ValueError(f"--modes {mode!r}: expected {' or '.join(MODES)}")
        if not self.seeds or min(self.seeds) < 0:
            raise ValueError(f"--seeds {self.seeds}: expected numbers from 0 on")


def main(settings: Settings) -> None:
    if settings.render:
        own = settings.results.resolve() == RESULTS.resolve()
        write_pages(settings.results, *((README, PAGE) if own else ()))
        return
    if settings.threads:
        torch.set_num_threads(settings.threads)
    rows = find_rows(settings.rows, settings.datasets, settings.modes)
    bench = Bench(
        results=settings.results / "table1",
        checkpoints=settings.checkpoints,
        data=settings.data,
        device=settings.device,
    )
    for row in rows:
        run_row(row, settings.seeds, bench)
    where = bench.results
    have = "has its" if len(rows) == 1 else "have their"
    seeds = counted(len(settings.seeds), "seed")
    print(f"{counted(len(rows), 'row')} {have} results of {seeds} in {where}")


if __name__ == "__main__":
    run_script(Settings, main)
