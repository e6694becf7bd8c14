"""Search the settings of a row of Table 1 with Optuna, by the MRR on dev; test is never looked at.

The first trial has the settings of benchmarks/settings/DATASET/ROW.tuned.json, for a data set that
has no such file the model's defaults; what may change stands in
benchmarks/settings/spaces/ROW.json. A search that was stopped goes on. The best settings are
printed; to use them, copy them into the row's file.

    python benchmarks/tune.py --row ComplEx --dataset MKG-W --trials 20
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
import torch
from common.measuring import RESULTS
from comparison.runs import DEV_SEED, Bench, make_trainer
from comparison.spaces import SearchSpace, read_space, settings_outside, value_at, with_values
from comparison.table_rows import DATASETS, TUNED, Row, find_rows

from lbmkgc_models.runs import tune
from lbmkgc_models.runs.defaults import default_recipe
from openke.runtime.script import run_script
from openke.training.callback import Callback
from openke.training.trainer import Trainer


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which row, and how it is searched."""

    row: str
    """Row by name, e.g. ComplEx."""
    dataset: str
    """One data set, by name: DB15K, MKG-W, MKG-Y, Factbook or any that is found by name."""
    trials: int = 20
    """Trials in all, those of earlier calls included. On DB15K each takes up to half an hour."""
    epochs: int = 0
    """The most epochs of a trial; 0: as many as the row says."""
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


def measured(row: Row, trial: optuna.Trial, bench: Bench) -> float:
    """Train a row and return its best MRR on dev, see :func:`.measure`."""

    def make(callbacks: list[Callback]) -> Trainer:
        return make_trainer(row, DEV_SEED, bench, callbacks, hold_out=row.hold_out, validate=True)

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


def row_of(settings: Settings) -> Row:
    """Return the row that is searched.

    Raises
    ------
    ValueError
        A data set of the paper without such a row, or an unknown model.
    """
    described = {row.name for row in find_rows(datasets=[settings.dataset], modes=[TUNED])}
    if settings.dataset in DATASETS or settings.row in described:
        (row,) = find_rows([settings.row], [settings.dataset], [TUNED])
    else:
        recipe = default_recipe(settings.row).changed({"data.name": settings.dataset})
        watched = recipe.changed({"evaluation.every": 1})
        row = Row(
            name=settings.row,
            dataset=settings.dataset,
            mode=TUNED,
            source="the defaults of openke train",
            recipe=watched,
        )
    if not settings.epochs:
        return row
    return replace(row, recipe=row.recipe.changed({"training.epochs": settings.epochs}))


def main(settings: Settings) -> None:
    if settings.threads:
        torch.set_num_threads(settings.threads)
    row = row_of(settings)
    space = read_space(row.name)
    study = search(row, space, settings)
    print(f"\n{tune.best_table(study, space)}")
    if not study.get_trials(states=tune.COMPLETE):
        print("every trial was pruned: there is nothing to take over")
        return
    best = with_values(row, study.best_trial.params)
    print(f"the best recipe:\n{json.dumps(best.recipe.to_dict(), indent=2)}")


if __name__ == "__main__":
    run_script(Settings, main)
