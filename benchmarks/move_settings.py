"""Write the settings of Factbook's rows for data sets without pictures: text alone, epochs by dev.

So a search on Factbook serves all data sets. A row's file for a data set is written anew; what it
had is lost, and results by other settings are refused by table1.py.

    python benchmarks/move_settings.py --rows AdaMF TBKGC --to MKG-W --epochs 40
"""

from __future__ import annotations

from dataclasses import dataclass

from comparison.moving import move
from comparison.table_rows import BUNDLED, DATASETS, TUNED, find_rows

from openke.runtime.names import check_known
from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which rows, and where to."""

    rows: tuple[str, ...]
    """Rows of Factbook by name, e.g. AdaMF."""
    to: tuple[str, ...]
    """Data sets of the paper: DB15K, MKG-W, MKG-Y."""
    epochs: int = 0
    """The most that dev may choose; 0: as many as on Factbook."""

    def __post_init__(self) -> None:
        """Check the values."""
        for dataset in self.to:
            check_known("--to", dataset, DATASETS)
        if self.epochs < 0:
            raise ValueError(f"--epochs {self.epochs}: expected 0 or more")


def main(settings: Settings) -> None:
    for dataset in settings.to:
        for row in find_rows(settings.rows, [BUNDLED], [TUNED]):
            print(move(row, dataset, settings.epochs))


if __name__ == "__main__":
    run_script(Settings, main)
