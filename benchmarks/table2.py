"""Table 2 anew: LBMKGC in the paper's form, and without each of its parts, on the bundled graph.

Epochs are chosen on valid, then each seed is tested once. What has results already is not run
again, and a run that was stopped goes on from its checkpoint. `table1.py --render` shows the table.

    python benchmarks/table2.py --seeds 0 1 2 3 4
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from common.measuring import RESULTS
from comparison.ablations import ABLATIONS, FEATURES, ablation_rows
from comparison.completed_pictures import make_features
from comparison.options import RunSettings
from comparison.runs import run_row
from comparison.table_rows import BUNDLED

from openke.datasets.search import find_dataset
from openke.runtime.names import check_known
from openke.runtime.script import run_script
from openke.runtime.words import counted


@dataclass(frozen=True, kw_only=True)
class Settings(RunSettings):
    """Which ablations, and how they are run."""

    rows: tuple[str, ...] = ()
    """Ablations by name, such as LBMKGC "without CMoA"; by default all."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """Seeds that are trained and tested; valid is seen by seed 0 only."""
    results: Path = RESULTS
    """Folder for table2/Factbook/*.json."""
    checkpoints: Path = Path("runs/table2")
    """Folder for checkpoints."""

    def __post_init__(self) -> None:
        """Check the names, too."""
        super().__post_init__()
        for row in self.rows:
            check_known("--rows", row, ABLATIONS)


def main(settings: Settings) -> None:
    bench = settings.bench("table2")
    directory = find_dataset(BUNDLED, settings.data)
    make_features(directory / "features", FEATURES, str(directory))
    rows = [row for row in ablation_rows() if row.name in (settings.rows or ABLATIONS)]
    for row in rows:
        run_row(row, settings.seeds, bench)
    print(f"{counted(len(rows), 'row')} of {counted(len(settings.seeds), 'seed')}: {bench.results}")


if __name__ == "__main__":
    run_script(Settings, main)
