"""A training by a recipe, watched on its valid split if asked for, that writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.runs.make_model import model_maker
from openke.data.store import TripleStore
from openke.data.test_data_loader import TestDataLoader
from openke.evaluation.tester import Tester
from openke.runs.recipe import Recipe
from openke.training.callback import Callback
from openke.training.callbacks import Validation
from openke.training.trainer import Trainer


def make_trainer(
    recipe: Recipe,
    store: TripleStore,
    features: Mapping[str, ModalFeatures],
    *,
    device: str = "auto",
    callbacks: Sequence[Callback] = (),
    validate: bool = False,
    progress: bool = True,
) -> Trainer:
    """Return what trains any registered model by a recipe.

    Parameters
    ----------
    recipe
        How to train; of its section ``evaluation`` only ``every`` is read, and only to validate.
    store
        The triples.
    features
        Frozen features by modality, see :func:`.features_for`.
    device
        auto, cpu, cuda, cuda:1, mps.
    callbacks
        What happens between epochs, after validation and schedule.
    validate
        Rank the valid split every few epochs; the recipe's ``data.hold_out`` may make one of train.
    progress
        Show how far it is.
    """
    made = recipe.build(store, make=model_maker(features, recipe.features.texts))
    watching: list[Callback] = []
    if validate:
        loader = TestDataLoader(made.loader.store, type_constrain=False)
        tester = Tester(made.strategy.model, loader, device=device, progress=False)
        watching.append(
            Validation(
                lambda: tester.rank("valid").metrics(), made.loader.store, recipe.evaluation.every
            )
        )
    if made.schedule is not None:
        watching.append(made.schedule)
    return Trainer(
        made.strategy,
        made.loader,
        **made.options,
        device=device,
        callbacks=[*watching, *callbacks],
        progress=progress,
    )
