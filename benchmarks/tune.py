"""Search the settings of a row of Table 1 with Optuna, by the MRR on dev; test is never looked at.

The first trial has the settings of benchmarks/settings/DATASET/ROW.tuned.json, for a data set that
has no such file the model's defaults; what may change stands in
benchmarks/settings/spaces/ROW.json. A search that was stopped goes on. The best settings are
printed; to use them, copy them into the row's file.

    python benchmarks/tune.py --row ComplEx --dataset MKG-W --trials 20
"""

from __future__ import annotations

import csv
import io
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import optuna
import torch
from common.measuring import RESULTS
from comparison.runs import DEV_SEED, Bench, make_trainer
from comparison.spaces import SearchSpace, read_space, settings_outside, value_at, with_values
from comparison.table_rows import DATASETS, TUNED, Row, find_rows
from tabulate import tabulate

from lbmkgc_models.runs.defaults import default_recipe
from openke.runtime.files import write_text
from openke.runtime.script import run_script
from openke.training.callback import Callback, Training
from openke.training.callbacks import EarlyStopping
from openke.training.history import Record

WAITING = (optuna.trial.TrialState.WAITING,)
COMPLETE = (optuna.trial.TrialState.COMPLETE,)
DONE = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
STARTUP = 5
"""Trials before any is pruned or drawn from what earlier ones found."""


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


class Pruning(Callback):
    """Tells a trial each MRR on dev, and ends training where it is below the median of others."""

    def __init__(self, trial: optuna.Trial) -> None:
        self.trial = trial
        self.pruned = False

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Report, and stop when the trial is hopeless."""
        if "valid_mrr" in record:
            self.trial.report(record["valid_mrr"], trainer.epoch)
            if self.trial.should_prune():
                self.pruned = True
                trainer.stop("the median of the trials is better")


def measured(row: Row, trial: optuna.Trial, bench: Bench) -> float:
    """Train a row and return its best MRR on dev.

    Raises
    ------
    optuna.TrialPruned
        It was stopped early, or its loss was no longer a number.
    """
    stopping, pruning = EarlyStopping(patience=row.recipe.evaluation.patience), Pruning(trial)
    before = time.perf_counter()
    trainer = make_trainer(
        row, DEV_SEED, bench, [stopping, pruning], hold_out=row.hold_out, validate=True
    )
    try:
        trainer.run()
    except FloatingPointError as error:
        print(error)
        pruning.pruned = True
    trial.set_user_attr("epochs", stopping.best_epoch)
    trial.set_user_attr("dev_mrr", max(0.0, stopping.best))  # 0 where no epoch was measured
    trial.set_user_attr("seconds", time.perf_counter() - before)
    if pruning.pruned:
        raise optuna.TrialPruned
    return stopping.best


def search(row: Row, space: SearchSpace, settings: Settings) -> optuna.Study:
    """Run the trials that are missing; every one is recorded as soon as it ends.

    Raises
    ------
    ValueError
        Earlier trials had other settings than the row has now, those searched left aside.
    """
    path = settings.studies / row.dataset / f"{row.stem}.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=f"sqlite:///{path}",
        study_name=f"{row.name} on {row.dataset}",
        load_if_exists=True,
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1),
    )
    fixed = settings_outside(row, space)
    if study.user_attrs.get("settings", fixed) != fixed:
        raise ValueError(
            f"{path}: the trials there had other settings than {row.name} on {row.dataset} has "
            "now; remove it to search anew"
        )
    study.set_user_attr("settings", fixed)
    done = len(study.get_trials(states=DONE))
    # A search that goes on must not draw again what it drew.
    study.sampler = optuna.samplers.TPESampler(seed=settings.seed + done, n_startup_trials=STARTUP)
    if not study.get_trials(states=DONE + WAITING):
        start = {place: value_at(row, place) for place in space}
        study.enqueue_trial({place: v for place, v in start.items() if v is not None})
    bench = Bench(
        results=settings.results,
        checkpoints=settings.studies,
        data=settings.data,
        device=settings.device,
    )

    def objective(trial: optuna.Trial) -> float:
        values = {place: found.draw(trial, place) for place, found in space.items()}
        print(f"\ntrial {trial.number}: {json.dumps(values)}", flush=True)
        return measured(with_values(row, values), trial, bench)

    def record(study: optuna.Study, _: optuna.trial.FrozenTrial) -> None:
        write_text(settings.results / row.dataset / f"{row.stem}.csv", trials_csv(study, space))

    study.optimize(objective, n_trials=max(0, settings.trials - done), callbacks=[record])
    return study


def trials_csv(study: optuna.Study, space: SearchSpace) -> str:
    """Return a line for each finished trial."""
    found = io.StringIO()
    writer = csv.writer(found, lineterminator="\n")
    writer.writerow(["trial", "state", "dev_mrr", "epochs", "seconds", *space])
    for trial in study.get_trials(states=DONE):
        own = trial.user_attrs
        mrr, seconds = f"{own['dev_mrr']:.5f}", f"{own['seconds']:.0f}"
        values = [trial.params.get(place, "") for place in space]
        writer.writerow(
            [trial.number, trial.state.name.lower(), mrr, own["epochs"], seconds, *values]
        )
    return found.getvalue()


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
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    row = row_of(settings)
    space = read_space(row.name)
    study = search(row, space, settings)
    done = sorted(
        study.get_trials(states=DONE), key=lambda trial: trial.user_attrs["dev_mrr"], reverse=True
    )
    header = ["dev MRR", "epochs", *space]
    body = [
        [
            *(f"{100 * trial.user_attrs['dev_mrr']:.2f}", trial.user_attrs["epochs"]),
            *(trial.params.get(place, "") for place in space),
        ]
        for trial in done[:10]
    ]
    print(f"\n{study.study_name}: the best of {len(done)} trials\n\n{tabulate(body, header)}\n")
    if not study.get_trials(states=COMPLETE):
        print("every trial was pruned: there is nothing to take over")
        return
    best = with_values(row, study.best_trial.params)
    print(f"the best recipe:\n{json.dumps(best.recipe.to_dict(), indent=2)}")


if __name__ == "__main__":
    run_script(Settings, main)
