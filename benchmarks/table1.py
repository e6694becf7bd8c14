"""Table 1 anew: every row trained by the same code, chosen on dev, tested once.

Each row has a file benchmarks/settings/DATASET/ROW.MODE.json. What has results already is not run
again, and a run that was stopped goes on from its checkpoint; several of these can work at once on
different rows. With --render, only the tables are written, beside the paper's figures.

    python benchmarks/table1.py --rows ComplEx --datasets MKG-W --seeds 0 1 2
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.measuring import RESULTS
from comparison.options import RunSettings
from comparison.page import PAGE, README, write_pages
from comparison.runs import run_row
from comparison.table_rows import DATASETS, KNOWN_DATASETS, MODES, TUNED, find_rows

from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Which rows, and how they are run."""

    rows: tuple[str, ...] = ()
    """Rows by name, such as TransE "LBMKGC without text"; by default all."""
    datasets: tuple[str, ...] = DATASETS
    """Data sets: those of the paper; Factbook, the bundled graph, and OpenMoji, which
    openmoji_build.py makes, are others."""
    modes: tuple[str, ...] = (TUNED,)
    """tuned: our settings, epochs chosen on dev; published: published settings, a fixed number of
    epochs, which takes hours to days."""
    render: bool = False
    """Run nothing; write the tables of all results there are; if these are in the project's own
    folder, also those of README.md and docs/results.md."""
    results: Path = RESULTS
    """Folder for table1/DATASET/*.json, table1.md, .tex and .png."""
    checkpoints: Path = Path("runs/table1")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the names, too."""
        super().__post_init__()
        for dataset in self.datasets:
            if dataset not in KNOWN_DATASETS:
                raise ValueError(f"--datasets {dataset!r}: expected {', '.join(KNOWN_DATASETS)}")
        for mode in self.modes:
            if mode not in MODES:
                raise ValueError(f"--modes {mode!r}: expected {' or '.join(MODES)}")


def main(settings: Settings) -> None:
    if settings.render:
        own = settings.results.resolve() == RESULTS.resolve()
        write_pages(settings.results, *((README, PAGE) if own else ()))
        return
    rows = find_rows(settings.rows, settings.datasets, settings.modes)
    bench = settings.bench("table1")
    for row in rows:
        run_row(row, settings.seeds, bench)
    where = bench.results
    have = "has its" if len(rows) == 1 else "have their"
    seeds = counted(len(settings.seeds), "seed")
    print(f"{counted(len(rows), 'row')} {have} results of {seeds} in {where}")


if __name__ == "__main__":
    run_script(Settings, main)
