"""The whole way of a training script: find data and features, train, test, write down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from lbmkgc_models.features.select import gather_features
from lbmkgc_models.store import ModalFeatures
from openke.config.experiment import Experiment, ExperimentSettings
from openke.config.report import RankingReport
from openke.data.datasets import find_dataset
from openke.data.loaders import TestDataLoader, TrainDataLoader
from openke.data.store import TripleStore
from openke.module.loss.loss import Loss
from openke.module.model.model import Model
from openke.module.strategy.negative_sampling import NegativeSampling

Features = Mapping[str, ModalFeatures]
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
    uses: Literal["structure", "one modality", "modalities"] = "modalities",
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
        Further arguments of :class:`~openke.data.loaders.TrainDataLoader`.
    uses
        How many modalities the model takes.

    Returns
    -------
    RankingReport
        Filtered ranks on the test split, also written as ``report.json``.
    """
    directory = find_dataset(dataset, settings.data)
    store = TripleStore.open(directory)
    default_out = Path("runs") / f"{model_name}-{dataset}".lower()
    store.require("test")  # now, not after days of training
    experiment = Experiment(settings, settings.out or default_out)
    features = _features(store, directory, settings, uses)
    loader = TrainDataLoader(
        store,
        batch_size=settings.batch_size,
        neg_ent=settings.negatives,
        seed=settings.seed,
        hold_out=settings.hold_out,
        **{"bern_flag": True, "filter_flag": True, **(sampling or {})},
    )
    model = build(loader.store, features)
    strategy = NegativeSampling(
        model=model, loss=loss, regul_rate=regul_rate, l3_regul_rate=l3_regul_rate
    )
    experiment.train(strategy, loader, opt_method)
    return experiment.test(strategy, TestDataLoader(store, type_constrain=False))


def _features(
    store: TripleStore, directory: Path, settings: ExperimentSettings, uses: str
) -> Features:
    if uses == "structure":
        if settings.modalities not in ("auto", "none"):
            raise ValueError(
                f"--modalities {settings.modalities}: this model uses structure only; leave the "
                "option out, or train LBMKGC or IKRL"
            )
        print(f"{store.name}: structure only")
        return {}
    found = gather_features(
        store,
        directory,
        modalities=settings.modalities,
        features=settings.features,
        device=settings.device,
    )
    print(found.summary)
    if uses == "modalities":
        return found.features
    chosen = [name for name in PREFERRED if name in found.features][:1]
    if len(found.features) > 1:
        print(f"this model takes one modality: {chosen[0]}")
    return {name: found.features[name] for name in chosen}
