"""Mixtures of rows of Table 1: trained apart, weighed for each relation on valid, tested once.

The epochs of their parts must have been chosen by table1.py before. What has results already is not
run again, and a part that was trained is not trained again. `table1.py --render` shows the tables.

    python benchmarks/mixtures.py --datasets MKG-Y --rows "ComplEx + RotatE" --seeds 0 1 2
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.measuring import RESULTS
from comparison.mixtures import ROWS, Models, rows_of, run_mixture
from comparison.options import RunSettings
from comparison.table_rows import DATASETS, KNOWN_DATASETS

from openke.runtime.names import check_known
from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Which mixtures, and how they are run."""

    rows: tuple[str, ...] = ()
    """Mixtures by name, such as "ComplEx + RotatE"; by default all."""
    datasets: tuple[str, ...] = DATASETS
    """Data sets: those of the paper; Factbook and OpenMoji, which have pictures, are others."""
    results: Path = RESULTS
    """Folder for mixtures/DATASET/*.json; its table1/ has the epochs."""
    checkpoints: Path = Path("runs/mixtures")
    """Folder for checkpoints, and for the weights of trained parts."""

    def __post_init__(self) -> None:
        """Check the names, too."""
        super().__post_init__()
        for dataset in self.datasets:
            check_known("--datasets", dataset, KNOWN_DATASETS)
        known = dict.fromkeys(name for dataset in self.datasets for name in ROWS[dataset])
        for name in self.rows:
            check_known("--rows", name, known)


def main(settings: Settings) -> None:
    bench, parts = settings.bench("mixtures"), settings.bench("table1")
    done = 0
    for dataset in settings.datasets:
        names = [name for name in settings.rows or ROWS[dataset] if name in ROWS[dataset]]
        done += len(names)
        for seed in settings.seeds:
            models: Models = {}
            for name in names:
                run_mixture(name, rows_of(name, dataset), seed, bench, parts, models)
    print(f"{counted(done, 'mixture')} of {counted(len(settings.seeds), 'seed')}: {bench.results}")


if __name__ == "__main__":
    run_script(Settings, main)
