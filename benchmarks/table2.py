"""Table 2 anew: LBMKGC in the paper's form, and without each of its parts.

On graphs with pictures all of it; on the paper's data sets, of which no pictures are at hand, what
text allows. Epochs are chosen on dev, then each seed is tested once. What has results already is
not run again, and a run that was stopped goes on from its checkpoint. `table1.py --render` shows
the tables.

    python benchmarks/table2.py --datasets Factbook OpenMoji --seeds 0 1 2 3 4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.measuring import RESULTS
from comparison.ablations import ABLATIONS, ablation_rows, features_of
from comparison.completed_pictures import make_features
from comparison.options import RunSettings
from comparison.runs import open_dataset, run_row
from comparison.table_rows import BUNDLED, KNOWN_DATASETS, PICTURE_GRAPHS

from openke.runtime.names import check_known
from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Which ablations, and how they are run."""

    datasets: tuple[str, ...] = (BUNDLED,)
    """Data sets by name: Factbook, OpenMoji, DB15K, MKG-W, MKG-Y."""
    rows: tuple[str, ...] = ()
    """Ablations by name, such as LBMKGC "without CMoA"; by default all that a data set allows."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds that are trained and tested; dev is seen by seed 0 only."""
    results: Path = RESULTS
    """Folder for table2/DATASET/*.json."""
    checkpoints: Path = Path("runs/table2")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the names, too."""
        super().__post_init__()
        for name in self.datasets:
            check_known("--datasets", name, KNOWN_DATASETS)
        for row in self.rows:
            check_known("--rows", row, ABLATIONS)


def main(settings: Settings) -> None:
    bench = settings.bench("table2")
    count = 0
    for graph in settings.datasets:
        if graph in PICTURE_GRAPHS:
            _, directory = open_dataset(graph, settings.data)
            make_features(directory / "features", features_of(graph), str(directory))
        rows = [row for row in ablation_rows(graph) if row.name in (settings.rows or ABLATIONS)]
        for row in rows:
            run_row(row, settings.seeds, bench)
        count += len(rows)
    print(f"{counted(count, 'row')} of {counted(len(settings.seeds), 'seed')}: {bench.results}")


if __name__ == "__main__":
    run_script(Settings, main)
