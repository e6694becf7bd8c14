"""``openke tune``: search settings of a model for a data set, on its valid split alone."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.features.optional_packages import extra
from lbmkgc_models.runs.default_space import default_space
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import dataset_folder, features_for
from lbmkgc_models.runs.make_model import check_model
from lbmkgc_models.runs.make_trainer import make_trainer
from lbmkgc_models.runs.search_space import SearchSpace, check_space, read_space, value_at, without
from lbmkgc_models.runs.train_command import fitted
from openke.data.store import TripleStore
from openke.runs.command_line import Assignments, assigned
from openke.runs.recipe import Recipe
from openke.runtime.holding import held
from openke.runtime.values import Count, Natural, Weight, check_value
from openke.runtime.words import counted
from openke.training.callback import Callback
from openke.training.trainer import Trainer

if TYPE_CHECKING:
    import optuna

STUDY, TABLE, BEST = "study.db", "trials.csv", "best.json"
"""What a search writes into its folder: Optuna's study, a line a trial, the best recipe."""


def command(
    data: str,
    /,
    *,
    model: str = "LBMKGC",
    trials: Count = 20,
    epochs: Natural = 0,
    minutes: Weight = 0.0,
    space: Path | None = None,
    set: Assignments = (),
    out: Path | None = None,
    seed: Natural = 0,
    device: str = "auto",
) -> None:
    """Search settings of a model for a data set, and write the best recipe.

    The first trial has the defaults of 'openke train'; later ones are drawn by Optuna. What counts
    is the MRR of the valid split, or of a tenth of train where that cannot be chosen on; the test
    split is never looked at. A search that was stopped goes on with the same command. For
    example::

        openke tune MKG-Y --model ComplEx --trials 30 --minutes 60

    Parameters
    ----------
    data
        A data set by name, such as MKG-Y, or its folder.
    model
        Any model that 'openke list models' shows.
    trials
        Trials in all, those of earlier calls included.
    epochs
        The most epochs of a trial; 0: as many as 'openke train' takes.
    minutes
        Begin no trial after so many minutes; 0: there is no such limit.
    space
        JSON or TOML of what is searched, by place in the recipe; by default learning rate,
        dimension, penalty, dropout and the like, around the defaults.
    set
        Another value in the recipe, e.g. model.dim=200, that all trials have; may be given more
        than once.
    out
        Folder for the trials and the best recipe; by default runs/tune-MODEL-DATASET.
    seed
        Seed of the search; every trial trains with the recipe's.
    device
        auto, cpu, cuda, cuda:1, mps.
    """
    _check(trials, epochs, minutes, seed)
    extra("optuna", "tune")
    from lbmkgc_models.runs.tune import COMPLETE, DONE, Search, best_table, search

    changes = assigned(set)
    recipe = default_recipe(model).changed({"data.name": data, **changes})
    check_model(recipe)
    store = TripleStore.open(dataset_folder(recipe.data.name))
    asked = None if space is None else read_space(space)
    recipe = fitted(recipe, store, settled={*changes, *(asked or ())})
    recipe = _watched(recipe.changed({"training.epochs": epochs} if epochs else {}))
    if asked is None:
        asked = default_space(recipe, store.entity_count, settled=changes)
    else:
        check_space(recipe, asked, space)
    folder = out or Path("runs") / f"tune-{recipe.model_name}-{store.name}".lower()
    trainings = Trials(recipe, store, device)
    with held(folder):
        study = search(
            Search(
                name=f"{recipe.model_name} on {store.name}",
                file=folder / STUDY,
                table=folder / TABLE,
                space=asked,
                start={place: value_at(recipe, place) for place in asked},
                fixed=_in_common(recipe, store, asked),
                trials=trials,
                minutes=minutes or None,
                seed=seed,
            ),
            trainings.measure,
        )
        done = len(study.get_trials(states=DONE))
        if not done:
            raise ValueError(f"--minutes {minutes}: no trial has begun in that time")
        print(f"\n{best_table(study, asked)}")
        if not study.get_trials(states=COMPLETE):
            raise ValueError(
                f"{folder}: of {counted(done, 'trial')} none was trained to its end; "
                f"{folder / TABLE} has their settings, --space FILE searches among others"
            )
        best = recipe.changed(study.best_trial.params)
        best.write(folder / BEST)
    if done < trials:
        print(f"{done} of {trials} trials are done; the same command goes on with the others")
    print(f"written to {folder}; train by the best recipe, and test it, with")
    print(f"  {shlex.join(['openke', 'train', data, '--recipe', str(folder / BEST)])}")


class Trials:
    """Trains by a recipe with the values of a trial."""

    def __init__(self, recipe: Recipe, store: TripleStore, device: str) -> None:
        self.recipe = recipe
        self.store = store
        self.device = device
        self._features: dict[str, Mapping[str, ModalFeatures]] = {}

    def measure(self, trial: optuna.Trial, values: Mapping[str, Any]) -> float:
        """Return the best MRR on the valid split."""
        from lbmkgc_models.runs.tune import measure

        recipe = self.recipe.changed(values)
        features = self._features_of(recipe)

        def make(callbacks: list[Callback]) -> Trainer:
            return make_trainer(
                recipe,
                self.store,
                features,
                device=self.device,
                callbacks=callbacks,
                validate=True,
            )

        return measure(recipe, trial, make)

    def _features_of(self, recipe: Recipe) -> Mapping[str, ModalFeatures]:
        """Return features; those of trials that see the same are read once."""
        content = recipe.to_dict()
        key = json.dumps([recipe.model_name, content["features"]])
        if key not in self._features:
            directory = self.store.directory
            assert directory is not None
            self._features = {key: features_for(recipe, self.store, directory, self.device)}
        return self._features[key]


def _check(trials: int, epochs: int, minutes: float, seed: int) -> None:
    check_value("--trials", trials, Count)
    check_value("--epochs", epochs, Natural)
    check_value("--minutes", minutes, Weight)
    check_value("--seed", seed, Natural)


def _watched(recipe: Recipe) -> Recipe:
    """Return a recipe that is validated, so that training by it takes the same epoch as here."""
    every = recipe.evaluation.every or 1
    patience = recipe.evaluation.patience or recipe.training.epochs
    return recipe.changed({"evaluation.every": every, "evaluation.patience": patience})


def _in_common(recipe: Recipe, store: TripleStore, space: SearchSpace) -> dict[str, Any]:
    """Return what decides the trials beside what is searched."""
    return {
        "recipe": without(recipe, space),
        "triples": store.fingerprint,
        "searched": sorted(space),
    }
