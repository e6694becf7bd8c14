"""The whole way of a training: find data and features, train by a recipe, test, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import CHOICE_NOTE
from lbmkgc_models.features.small_pictures import picture_of
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.choose_features import plan_features
from lbmkgc_models.runs.contributions import mean_weights
from lbmkgc_models.runs.make_model import check_model, modalities_of, model_maker, takes_tokens
from lbmkgc_models.runs.rebuilt import write_parts, write_pictures
from openke.data.store import TripleStore
from openke.datasets.search import find_dataset, missing_files
from openke.evaluation.report import RankingReport
from openke.module.model import Model
from openke.runs.experiment import Experiment, RunOptions
from openke.runs.packed import pack
from openke.runs.recipe import Make, Recipe
from openke.runs.sections import FeatureSection
from openke.runtime.distributed import join

PREFERRED = ("image", "text")
"""The modality a model of one modality takes, first come first served."""


def run(
    recipe: Recipe,
    options: RunOptions | None = None,
    *,
    make: Make | None = None,
    fit: Callable[[Recipe, TripleStore], Recipe] | None = None,
) -> RankingReport:
    """Train by a recipe, rank the test split, and leave everything in one folder.

    Parameters
    ----------
    recipe
        What is trained on what, how, and how it is watched.
    options
        Where data and results are, and on which device.
    make
        Makes the model, see :meth:`Recipe.build`; by default the registered one of that name.
    fit
        Returns the recipe as the triples need it; by default it stays as it is.

    Returns
    -------
    RankingReport
        Filtered ranks on the test split, also written as ``report.json``.

    Raises
    ------
    FileNotFoundError, FileExistsError, ValueError
        Data or features are not there, the folder holds a run already, or the recipe does not fit.
    """
    options = options or RunOptions()
    if make is None:
        check_model(recipe)
    with join().chief_first():  # downloads and features are made once
        directory = dataset_folder(recipe.data.name, options.data)
        store = TripleStore.open(directory)
        store.require("test")  # now, not after days of training
        if fit is not None:
            recipe = fit(recipe, store)
        default_out = Path("runs") / f"{recipe.model_name}-{store.name}".lower()
        experiment = Experiment(recipe, options, options.out or default_out)
        features = features_for(recipe, store, directory, options.device)
    make = make or model_maker(features, recipe.features.texts)
    seen = what_was_seen(recipe, features)
    with experiment.held():
        trainer = experiment.train(store, make)
        if trainer.world.chief and not options.lean:
            _pack(experiment.out, store, trainer.strategy.model, features)
        notes = {"features": seen, "modality_weights": mean_weights(trainer.strategy.model)}
        notes = {name: note for name, note in notes.items() if note}
        return experiment.test(trainer, store, notes, picture_of(store))


def _pack(
    out: Path, store: TripleStore, model: Model, features: Mapping[str, ModalFeatures]
) -> None:
    def more(folder: Path) -> None:
        write_parts(folder, model, features)
        write_pictures(folder, store)

    pack(out, store, more)


def dataset_folder(name: str, data: Path | None = None) -> Path:
    """Return the folder of a data set that is given by its folder or by name.

    Parameters
    ----------
    name
        The recipe's: a name, or the folder itself.
    data
        Where to look instead: a folder, or the name of another data set.

    Raises
    ------
    FileNotFoundError, ValueError
        See :func:`.find_dataset`; there is no name at all.
    """
    if not name:
        raise ValueError("the recipe names no data set: give one, such as MKG-Y, or a folder")
    if data is not None and not data.exists() and data.name == str(data):
        name, data = str(data), None  # --data names another data set
    if data is None and not missing_files(Path(name)):
        return Path(name)
    return find_dataset(name, data)


def features_for(
    recipe: Recipe, store: TripleStore, directory: Path, device: str = "auto"
) -> dict[str, ModalFeatures]:
    """Return the features that a recipe's model sees, and print in one line which these are.

    Raises
    ------
    FileNotFoundError, ValueError
        Features asked for are not there; features for a model over structure alone.
    """
    section, takes = recipe.features, modalities_of(recipe.model_name)
    if takes == "none":
        _check_structural(section)
        print(f"{store.name}: structure only")
        return {}
    plan = plan_features(
        store,
        directory,
        modalities=section.modalities,
        features=section.folder or None,
        text_encoder=section.text_encoder,
        texts=section.texts,
        tokens=takes_tokens(recipe.model_name),
    )
    if takes == "one":  # who names an encoder of texts wants texts
        plan = plan.only(("text",) if section.text_encoder else PREFERRED)
    plan.encode(device)
    found = plan.load()
    print(found.summary)
    if takes_tokens(recipe.model_name) and not any(each.parts for each in found.features.values()):
        print(
            f"{recipe.model_name} is made for sets of tokens and sees one vector of each picture "
            f"and text here; 'openke features tokens --help' says how tokens are made"
        )
    return found.features


def what_was_seen(
    recipe: Recipe, features: Mapping[str, ModalFeatures]
) -> dict[str, dict[str, Any]]:
    """Return by modality what made its features, and which texts these and mentions are of."""
    seen: dict[str, dict[str, Any]] = {}
    for modality, found in features.items():
        seen[modality] = {"encoder": found.manifest.encoder}
        if CHOICE_NOTE in found.manifest.notes:
            seen[modality]["texts"] = found.manifest.notes[CHOICE_NOTE]
    if recipe.model_settings.get("score_mentions"):
        seen["mentions"] = {"texts": recipe.features.texts}
    return seen


def _check_structural(section: FeatureSection) -> None:
    asked: dict[str, Any] = {
        "modalities": "" if section.modalities in ("auto", "none", []) else section.modalities,
        "text_encoder": section.text_encoder,
        "folder": section.folder,
    }
    for field, value in asked.items():
        if value:
            raise ValueError(
                f"features.{field} is {value!r}, but this model uses structure only; leave it out, "
                f"or train one of {', '.join(MULTIMODAL)}"
            )
