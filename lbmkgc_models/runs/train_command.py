"""``openke train``: any model on any data set, by a recipe or by defaults that learn."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro

from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.runs.defaults import default_recipe
from lbmkgc_models.runs.experiment import run
from openke.data.overlap import leak_of
from openke.data.store import TripleStore
from openke.evaluation.report import RankingReport
from openke.runs.command_line import Assignments, assigned, shorter
from openke.runs.experiment import Execution, RunOptions
from openke.runs.places import places
from openke.runs.recipe import Recipe
from openke.runtime.files import is_there

HELD_OUT = 0.1
LEAST_STEPS, MOST_EPOCHS = 600, 100
"""A small graph has more epochs, until it has so many steps, or so many epochs."""
MOST, MOST_ON_GPU = 5e10, 1e12
"""Scores in an epoch of training against all entities; more take hours for an epoch."""
SAMPLED: dict[str, Any] = {
    "objective": "negative sampling",
    "loss": "SampledSoftmaxLoss",
    "sampling": {"neg_ent": 1000, "negatives": "shared"},
}
SETTLE = ("training.objective", "training.loss", "training.sampling", "training.epochs")
"""Whoever sets one of these says how long and against what is trained."""


def command(
    data: str = "",
    /,
    *,
    model: str = "",
    recipe: Path | None = None,
    set: Assignments = (),
    execution: Annotated[Execution, tyro.conf.arg(name="")] = Execution(),  # noqa: B008 (it is frozen)
) -> None:
    """Train a model on a data set, test it, and leave everything in one folder.

    Without a recipe, defaults are taken that learn something within minutes on two cores: the best
    epoch is chosen on the valid split, and text features are made where there are labels. For
    example::

        openke train MKG-Y --model ComplEx --set training.epochs=20

    Parameters
    ----------
    data
        A data set by name, such as MKG-Y, or its folder; by default the recipe's.
    model
        Any model that 'openke list models' shows, such as ComplEx; by default the recipe's, else
        LBMKGC.
    recipe
        A recipe in JSON or TOML, such as settings.json of a run has.
    set
        Another value in the recipe, e.g. training.lr=0.05 or model.dim=200; may be given more than
        once.
    execution
        How it is run and where results go.
    """
    if recipe is not None and model:
        raise ValueError("--recipe names the model: leave --model out, or --set model.name=…")
    chosen = None if recipe is None else Recipe.read(recipe)
    named = {"data.name": data} if data else {}
    options = RunOptions(**vars(execution))
    train(chosen, {**named, **assigned(set)}, options, model=model)


def train(
    recipe: Recipe | None, changes: Mapping[str, Any], options: RunOptions, *, model: str = ""
) -> RankingReport:
    """Train by a recipe, or by defaults of a model that suit the data set.

    Parameters
    ----------
    recipe
        None: the defaults of ``model``.
    changes
        Other values in the recipe, see :meth:`.Recipe.changed`; the data set among them.
    options
        How it is run and where results go.
    model
        By default LBMKGC.
    """
    chosen = changed(recipe, changes, model)
    if recipe is not None and (note := shorter(recipe, chosen, "--set training.lr=")):
        print(note)
    return run(chosen, options, fit=partial(fitted, settled=changes) if recipe is None else None)


def changed(recipe: Recipe | None, changes: Mapping[str, Any], model: str = "") -> Recipe:
    """Return what :func:`train` trains by, before it is fitted to the data set."""
    chosen = default_recipe(model or "LBMKGC") if recipe is None else recipe
    if "features.folder" in changes:  # what is there is taken, not the recipe's encoder
        changes = {"features.text_encoder": "", **changes}
    return chosen.changed(changes)


def fitted(recipe: Recipe, store: TripleStore, *, settled: Collection[str] | None = None) -> Recipe:
    """Return a default recipe as a data set needs it, as ``openke train`` does.

    Where the valid split cannot be chosen on, a part of train is held out; a small graph has fewer
    negatives and more epochs, a large one is not trained against all entities; LBMKGC scores
    mentions where there are texts to find them in. ``run(recipe, fit=fitted)`` trains by it.

    Parameters
    ----------
    recipe
        See :func:`.default_recipe`, with changes.
    store
        The triples.
    settled
        Places that stay as they are; by default those at which ``recipe`` is not the default one of
        its model.
    """
    if settled is None:
        settled = _changed_places(recipe)
    changes: dict[str, Any] = _of_size(recipe, store, settled)
    negatives = recipe.training.sampling.get("neg_ent", 1)
    if negatives > store.entity_count and "training.sampling.neg_ent" not in settled:
        changes["training.sampling.neg_ent"] = store.entity_count
    if recipe.model_name == "LBMKGC" and "model.score_mentions" not in settled:
        changes["model.score_mentions"] = _has_texts(recipe, store)
    if not {"data.hold_out", "evaluation.every"} & set(settled):
        empty = not store.rows("valid")
        leak = None if empty else leak_of(store)
        if empty or leak is not None:
            reason = "it has no valid split" if empty else f"of its valid split {leak}"
            print(f"{store.name}: {reason}; a tenth of train is held out to choose on")
            changes["data.hold_out"] = HELD_OUT
    return recipe.changed(changes)


def _changed_places(recipe: Recipe) -> list[str]:
    """Return the places at which a recipe is not the default one of its model."""
    default = dict(places(default_recipe(recipe.model_name).to_dict()))
    return [
        place
        for place, value in places(recipe.to_dict())
        if not (isinstance(value, Mapping) and value)  # a section: what is in it differs
        if place not in default or default[place] != value
    ]


def _of_size(recipe: Recipe, store: TripleStore, settled: Collection[str]) -> dict[str, Any]:
    """Return what the number of triples and entities asks for, where training is against all.

    Nothing where somebody has settled how it is trained.
    """
    training = recipe.training
    if training.samples or any(place.startswith(SETTLE) for place in settled):
        return {}
    queries = len(store.triples("train")) * 2
    if queries * store.entity_count > (MOST_ON_GPU if torch.cuda.is_available() else MOST):
        print(
            f"{store.name}: {queries:,} queries against each of {store.entity_count:,} entities "
            "would take long; negatives are sampled"
        )
        return {f"training.{name}": value for name, value in SAMPLED.items()}
    steps = math.ceil(queries / training.batch_size)
    epochs = min(MOST_EPOCHS, max(training.epochs, math.ceil(LEAST_STEPS / steps)))
    return {} if epochs == training.epochs else {"training.epochs": epochs}


def _has_texts(recipe: Recipe, store: TripleStore) -> bool:
    """Whether a training may read texts, and the data set has some."""
    wanted = recipe.features.modalities
    labelled = store.directory is not None and is_there(store.directory / LABELS)
    return labelled and (wanted == "auto" or "text" in wanted)
