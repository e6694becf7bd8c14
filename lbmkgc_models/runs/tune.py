"""A search of settings with Optuna, by the MRR of the valid split; test is never looked at.

It is kept in a file: one that was stopped goes on.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
import torch
from sqlalchemy.exc import SQLAlchemyError
from tabulate import tabulate

from lbmkgc_models.runs.search_space import Range, SearchSpace
from openke.runs.recipe import Recipe
from openke.runtime.files import write_text
from openke.runtime.json_text import through_json
from openke.runtime.words import counted
from openke.training.callback import Callback, Training
from openke.training.callbacks import EarlyStopping
from openke.training.history import Record
from openke.training.trainer import Trainer

WAITING = (optuna.trial.TrialState.WAITING,)
COMPLETE = (optuna.trial.TrialState.COMPLETE,)
DONE = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
STARTUP = 5
"""Trials before any is pruned or drawn from what earlier ones found."""
SHOWN = 10
"""Trials in the table of the best."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is searched, and where that is kept."""

    name: str
    """Such as "ComplEx on MKG-W"."""
    file: Path
    """Optuna's study (SQLite)."""
    table: Path
    """A line of CSV for each finished trial."""
    space: SearchSpace
    start: Mapping[str, Any]
    """Values of the first trial, by place; those that are outside the space are drawn."""
    fixed: Mapping[str, Any]
    """What all trials have in common; a search goes on with no other."""
    trials: int
    """In all, those of earlier calls included."""
    minutes: float | None = None
    """No trial begins after so many."""
    seed: int = 0


def search(
    asked: Search, objective: Callable[[optuna.Trial, Mapping[str, Any]], float]
) -> optuna.Study:
    """Run the trials that are missing; every one is recorded as soon as it ends.

    Parameters
    ----------
    asked
        What is searched.
    objective
        Returns the MRR that a trial reaches with some values, see :func:`measure`.

    Raises
    ------
    ValueError
        Earlier trials had something else in common, or drew a setting otherwise; the file is no
        study.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # what goes wrong is raised here
    study = _opened(asked)
    done = len(study.get_trials(states=DONE))
    # A search that goes on must not draw again what it drew, nor what failed.
    drawn = sum(trial.state not in WAITING for trial in study.get_trials(deepcopy=False))
    study.sampler = optuna.samplers.TPESampler(seed=asked.seed + drawn, n_startup_trials=STARTUP)
    if not study.get_trials(states=DONE + WAITING):
        start = asked.start
        inside = {p: start[p] for p, found in asked.space.items() if found.holds(start.get(p))}
        study.enqueue_trial(inside)

    def run(trial: optuna.Trial) -> float:
        values = {place: found.draw(trial, place) for place, found in asked.space.items()}
        said = ", ".join(f"{place}={_shown(value)}" for place, value in values.items())
        print(f"\ntrial {trial.number}: {said}", flush=True)
        return objective(trial, values)

    def record(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        if trial.state not in DONE:  # it failed, and the error goes on to the caller
            return
        write_text(asked.table, trials_csv(study, asked.space))
        own = trial.user_attrs
        count = len(study.get_trials(states=DONE))
        best = best_trials(study)[0]
        print(
            f"trial {trial.number}: MRR {_percent(trial)} at epoch {own['epochs']}"
            f"{', pruned' if trial.state not in COMPLETE else ''}; {count} of {asked.trials} done, "
            f"the best is trial {best.number} with {_percent(best)}",
            flush=True,
        )

    study.optimize(
        run,
        n_trials=max(0, asked.trials - done),
        timeout=None if asked.minutes is None else 60 * asked.minutes,
        callbacks=[record],
    )
    return study


def _opened(asked: Search) -> optuna.Study:
    asked.file.parent.mkdir(parents=True, exist_ok=True)
    try:
        study = optuna.create_study(
            storage=f"sqlite:///{asked.file}",
            study_name=asked.name,
            load_if_exists=True,
            direction="maximize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP, n_warmup_steps=1),
        )
    except (SQLAlchemyError, optuna.exceptions.OptunaError) as error:
        reason = getattr(error, "orig", None) or error
        raise ValueError(
            f"{asked.file}: cannot be used as a file of trials ({reason}); remove it to search anew"
        ) from error
    given = through_json(dict(asked.fixed))
    before = study.user_attrs.get("settings", given)
    if other := _differing(before, given):
        raise ValueError(
            f"{asked.file}: the trials there had other settings than {asked.name} has now "
            f"({', '.join(other)}); remove it to search anew"
        )
    kinds = {place: _kind(values) for place, values in asked.space.items()}
    earlier = study.user_attrs.get("kinds", {})
    for place, kind in kinds.items():
        if earlier.get(place, kind) != kind:
            raise ValueError(
                f"{asked.file}: the trials there drew {place} from {earlier[place]}, now it is "
                f"from {kind}; remove it to search anew"
            )
    study.set_user_attr("settings", given)
    study.set_user_attr("kinds", {**earlier, **kinds})
    return study


def _kind(values: Range) -> str:
    """Return what of a range stays as long as a study; its bounds may move."""
    if values.choices:
        return f"{list(values.choices)}"
    whole = all(isinstance(end, int) for end in values.ends)
    return f"{'whole ' if whole else ''}numbers{' with log' if values.log else ''}"


def _differing(before: Any, now: Any, above: str = "") -> list[str]:
    """Return the places at which two JSON values differ."""
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return [] if before == now else [above.removesuffix(".")]
    names = dict.fromkeys([*before, *now])
    return [
        place
        for name in names
        for place in _differing(before.get(name), now.get(name), f"{above}{name}.")
    ]


class Pruning(Callback):
    """Tells a trial each MRR, and ends training where it is below the median of others."""

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


def measure(
    recipe: Recipe, trial: optuna.Trial, make: Callable[[list[Callback]], Trainer]
) -> float:
    """Train by a recipe and return its best MRR on the valid split.

    Parameters
    ----------
    recipe
        Its ``evaluation.patience`` ends training; 0 never does.
    trial
        Is told how it goes.
    make
        Returns what trains and validates, with more callbacks.

    Raises
    ------
    optuna.TrialPruned
        It was stopped early, its loss was no longer a number, or it wanted too much memory.
    """
    patience = recipe.evaluation.patience or recipe.training.epochs
    stopping, pruning = EarlyStopping(patience=patience), Pruning(trial)
    before = time.perf_counter()
    try:
        make([stopping, pruning]).run()
    except (FloatingPointError, MemoryError, torch.OutOfMemoryError) as error:
        print(error)
        pruning.pruned = True
    trial.set_user_attr("epochs", stopping.best_epoch)
    trial.set_user_attr("dev_mrr", max(0.0, stopping.best))  # 0 where no epoch was measured
    trial.set_user_attr("seconds", time.perf_counter() - before)
    if pruning.pruned:
        raise optuna.TrialPruned
    return stopping.best


def best_trials(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """Return the finished trials, the best first."""
    done = study.get_trials(states=DONE)
    return sorted(done, key=lambda trial: trial.user_attrs["dev_mrr"], reverse=True)


def best_table(study: optuna.Study, space: SearchSpace) -> str:
    """Return the best trials as a table for people."""
    done = best_trials(study)
    header = ["trial", "MRR, %", "epoch", "seconds", *space]
    body = [
        [
            *(trial.number, _percent(trial), trial.user_attrs["epochs"]),
            f"{trial.user_attrs['seconds']:.0f}",
            *(_shown(trial.params.get(place, "")) for place in space),
        ]
        for trial in done[:SHOWN]
    ]
    table = tabulate(body, header, disable_numparse=True, stralign="right")
    return f"{study.study_name}: the best of {counted(len(done), 'trial')}\n\n{table}\n"


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


def _percent(trial: optuna.trial.FrozenTrial) -> str:
    return f"{100 * trial.user_attrs['dev_mrr']:.2f}"


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
