"""Search the settings of rows of Table 1 with Optuna, by the MRR on dev; test is never looked at.

The first trial has the settings of benchmarks/settings/DATASET/ROW.tuned.json, for a data set that
has no such file the model's defaults; what may change stands in
benchmarks/settings/spaces/ROW.json. All rows have the same budget: so many trials, each of at most
so many epochs. A search that was stopped goes on. The best settings are printed, and with --take
written into the row's file.

    python benchmarks/tune.py --rows ComplEx RotatE --dataset MKG-W --trials 20
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
import torch
from common.measuring import RESULTS
from comparison.runs import DEV_SEED, Bench, prepare
from comparison.spaces import (
    SearchSpace,
    has_space,
    read_space,
    settings_outside,
    take,
    value_at,
    with_values,
)
from comparison.table_rows import DATASETS, LENT, TUNED, Row, find_rows

from lbmkgc_models.runs import tune
from lbmkgc_models.runs.defaults import default_recipe
from openke.runtime.script import run_script
from openke.training.callback import Callback
from openke.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which row, and how it is searched."""

    dataset: str
    """One data set, by name: DB15K, MKG-W, MKG-Y, Factbook or any that is found by name."""
    rows: tuple[str, ...] = ()
    """Rows by name, e.g. ComplEx; else all that have settings for the data set and a space."""
    trials: int = 20
    """Trials of each row in all, those of earlier calls included. On DB15K each takes up to half
    an hour."""
    epochs: int = 0
    """The most epochs of a trial; 0: as many as the row says."""
    take: bool = False
    """Write what is better than the row's settings into the row's file."""
    seed: int = 0
    """Seed of the search; every trial trains with the same one."""
    threads: int = 0
    """Threads of PyTorch and of the core; 0 leaves it to them."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    data: Path | None = None
    """Folder of the data sets; else OPENKE_DATA, benchmarks/, the cache and a download."""
    studies: Path = Path("runs/tune")
    """Folder for DATASET/ROW.db, Optuna's study (SQLite)."""
    results: Path = RESULTS / "tune"
    """Folder for DATASET/ROW.csv, a line for each trial."""

    def __post_init__(self) -> None:
        """Check the values."""
        if self.epochs < 0:
            raise ValueError(f"--epochs {self.epochs}: expected 0 or more")
        if self.trials < 1:
            raise ValueError(f"--trials {self.trials}: expected at least 1")
        if self.take and self.dataset in LENT:
            raise ValueError(
                f"--take: rows of {self.dataset} have the settings of {LENT[self.dataset]}: search "
                "there"
            )


def measured(row: Row, trial: optuna.Trial, bench: Bench) -> float:
    """Train a row and return its best MRR on dev, see :func:`.measure`."""

    def make(callbacks: list[Callback]) -> Trainer:
        made = prepare(row, DEV_SEED, bench, callbacks, hold_out=row.hold_out, validate=True)
        return made.trainer

    return tune.measure(row.recipe, trial, make)


def search(row: Row, space: SearchSpace, settings: Settings) -> optuna.Study:
    """Run the trials that are missing, see :func:`.search`."""
    bench = Bench(
        results=settings.results,
        checkpoints=settings.studies,
        data=settings.data,
        device=settings.device,
    )
    return tune.search(
        tune.Search(
            name=f"{row.name} on {row.dataset}",
            file=settings.studies / row.dataset / f"{row.stem}.db",
            table=settings.results / row.dataset / f"{row.stem}.csv",
            space=space,
            start={place: value_at(row, place) for place in space},
            fixed=settings_outside(row, space),
            trials=settings.trials,
            seed=settings.seed,
        ),
        lambda trial, values: measured(with_values(row, values), trial, bench),
    )


def rows_of(settings: Settings) -> list[Row]:
    """Return the rows that are searched.

    Raises
    ------
    ValueError
        A data set of the paper without such a row, or an unknown model.
    """
    # The paper's data sets have settings of all rows there are; others may lack some.
    needed = settings.rows if settings.dataset in DATASETS else ()
    described = {row.name: row for row in find_rows(needed, [settings.dataset], [TUNED])}
    names = settings.rows or [name for name in described if has_space(name)]
    found = [described.get(name) or default_row(name, settings.dataset) for name in names]
    if not settings.epochs:
        return found
    most = {"training.epochs": settings.epochs}
    return [replace(row, recipe=row.recipe.changed(most)) for row in found]


def default_row(name: str, dataset: str) -> Row:
    """Return a row with a model's defaults, for a data set that has no settings."""
    recipe = default_recipe(name).changed({"data.name": dataset, "evaluation.every": 1})
    source = "the defaults of openke train"
    return Row(name=name, dataset=dataset, mode=TUNED, source=source, recipe=recipe)


def show_and_take(row: Row, space: SearchSpace, study: optuna.Study, settings: Settings) -> None:
    """Print the best trials and, if asked, write their settings into the row's file."""
    print(f"\n{tune.best_table(study, space)}")
    if not study.get_trials(states=tune.COMPLETE):
        print("every trial was pruned: there is nothing to take over")
        return
    best = study.best_trial
    found = with_values(row, best.params)
    print(f"the best recipe:\n{json.dumps(found.recipe.to_dict(), indent=2)}")
    if settings.take and any(value_at(row, place) != at for place, at in best.params.items()):
        path = take(row, best.params, len(study.get_trials(states=tune.DONE)))
        print(f"written to {path}")


def main(settings: Settings) -> None:
    if settings.threads:
        torch.set_num_threads(settings.threads)
    for row in rows_of(settings):
        space = read_space(row.name)
        show_and_take(row, space, search(row, space, settings), settings)


if __name__ == "__main__":
    run_script(Settings, main)
