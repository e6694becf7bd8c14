"""The whole way of a training script: find data and features, train, test, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.choose_features import gather_features
from lbmkgc_models.runs.make_model import make_multimodal
from openke.data.store import TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.data.train_data_loader import TrainDataLoader
from openke.datasets.search import find_dataset
from openke.evaluation.report import RankingReport
from openke.module.loss.loss import Loss
from openke.module.model import Model
from openke.module.strategy.negative_sampling import NegativeSampling
from openke.runs.experiment import Experiment, ExperimentSettings
from openke.runs.recipe import Make, Recipe, structural
from openke.runtime.distributed import join

Features = Mapping[str, ModalFeatures]
Uses = Literal["structure", "one modality", "modalities"]
PREFERRED = ("image", "text")
"""The modality a model of one modality takes, first come first served."""


def run_experiment(
    model_name: str,
    dataset: str,
    settings: ExperimentSettings,
    build: Callable[[TripleStore, Features], Model],
    loss: Loss,
    *,
    regul_rate: float = 0.0,
    l3_regul_rate: float = 0.0,
    opt_method: str = "adam",
    sampling: Mapping[str, Any] | None = None,
    uses: Uses = "modalities",
) -> RankingReport:
    """Train a model on a data set with negative sampling, rank its test split, write the results.

    Negatives are each positive's own, head and tail mixed, Bernoulli, filtered, unless ``sampling``
    says otherwise: the published setting of the lineage.

    Parameters
    ----------
    model_name
        Names the default folder of results, runs/MODEL-DATASET.
    dataset
        Name of a registered data set, or of a folder under ``--data`` or ``OPENKE_DATA``.
    settings
        The script's options.
    build
        Makes the model from the triples and the features by modality.
    loss, regul_rate, l3_regul_rate, opt_method
        What is minimised and by which optimiser.
    sampling
        Further arguments of :class:`.TrainDataLoader`.
    uses
        How many modalities the model takes.

    Returns
    -------
    RankingReport
        Filtered ranks on the test split, also written as ``report.json``.
    """
    place = _begin(model_name, dataset, settings, uses)
    loader = TrainDataLoader(
        place.store,
        batch_size=settings.batch_size,
        neg_ent=settings.negatives,
        seed=settings.seed,
        hold_out=settings.hold_out,
        **{"bern_flag": True, "filter_flag": True, **(sampling or {})},
    )
    model = build(loader.store, place.features)
    strategy = NegativeSampling(
        model=model, loss=loss, regul_rate=regul_rate, l3_regul_rate=l3_regul_rate
    )
    place.experiment.train(strategy, loader, opt_method)
    return place.experiment.test(strategy, TestDataLoader(place.store, type_constrain=False))


def run_recipe(
    recipe: Recipe,
    dataset: str,
    settings: ExperimentSettings,
    *,
    uses: Uses = "modalities",
) -> RankingReport:
    """Train on a data set by a recipe, rank its test split, write the results.

    Parameters
    ----------
    recipe
        Everything about the training; ``settings`` say where, on what and how it is watched.
    dataset, settings, uses
        As of :func:`run_experiment`.

    Returns
    -------
    RankingReport
        Filtered ranks on the test split, also written as ``report.json``.
    """
    place = _begin(recipe.model, dataset, settings, uses)
    trainer = place.experiment.follow(recipe, place.store, maker(place.features))
    loader = TestDataLoader(place.store, type_constrain=False)
    return place.experiment.test(trainer.strategy, loader)


def maker(features: Features) -> Make:
    """Return what makes every registered model of a :class:`Recipe`, those with features, too."""

    def make(name: str, store: TripleStore, relations: int, settings: Mapping[str, Any]) -> Model:
        if name in MULTIMODAL:
            return make_multimodal(name, store, relations, features, settings)
        return structural(name, store, relations, settings)

    return make


class _Place(NamedTuple):
    store: TripleStore
    features: Features
    experiment: Experiment


def _begin(model: str, dataset: str, settings: ExperimentSettings, uses: str) -> _Place:
    with join().chief_first():  # downloads and features are made once
        directory = find_dataset(dataset, settings.data)
        store = TripleStore.open(directory)
        default_out = Path("runs") / f"{model}-{dataset}".lower()
        store.require("test")  # now, not after days of training
        experiment = Experiment(settings, settings.out or default_out)
        return _Place(store, _features(store, directory, settings, uses), experiment)


def _features(
    store: TripleStore, directory: Path, settings: ExperimentSettings, uses: str
) -> Features:
    if uses == "structure":
        asked = "" if settings.modalities in ("auto", "none") else settings.modalities
        for option, value in (("modalities", asked), ("text-encoder", settings.text_encoder)):
            if value:
                raise ValueError(
                    f"--{option} {value}: this model uses structure only; leave the option out, "
                    "or train LBMKGC or IKRL"
                )
        print(f"{store.name}: structure only")
        return {}
    found = gather_features(
        store,
        directory,
        modalities=settings.modalities,
        features=settings.features,
        text_encoder=settings.text_encoder,
        device=settings.device,
    )
    print(found.summary)
    if uses == "modalities":
        return found.features
    # Who names an encoder of texts wants texts.
    order = ("text",) if settings.text_encoder else PREFERRED
    chosen = [name for name in order if name in found.features][:1]
    if len(found.features) > 1:
        print(f"this model takes one modality: {chosen[0]}")
    return {name: found.features[name] for name in chosen}
