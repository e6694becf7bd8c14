"""Every model by name, over structure alone and with pictures and text, made to be trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.mentions import Mentions, find_mentions
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import TextChoice, describe_entities
from lbmkgc_models.fusion.structure_mask import seen_in_train
from lbmkgc_models.model import MULTIMODAL
from lbmkgc_models.runs.relation_features import relation_features
from openke.data.store import TripleStore
from openke.module.model import MODELS, Model
from openke.module.settings import NoSettings, configure
from openke.runs.recipe import KNOWN_MODELS, Make, Recipe, structural_model
from openke.runtime.names import check_known
from openke.runtime.values import check_arguments

ALL_MODELS: dict[str, type[Model]] = {**MODELS, **MULTIMODAL.own}
"""The models of both packages."""


def modalities_of(name: str) -> Literal["none", "one", "several"]:
    """Return how many modalities a model takes beside its triples.

    Raises
    ------
    ValueError
        No model has that name.
    """
    check_known("model", name, sorted({*KNOWN_MODELS, *MULTIMODAL}))
    if name not in MULTIMODAL:
        return "none"
    return "one" if getattr(MULTIMODAL[name], "one_modality", False) else "several"


def takes_tokens(name: str) -> bool:
    """Return whether features of tokens go before those of one vector, for a registered model."""
    return name in MULTIMODAL and bool(getattr(MULTIMODAL[name], "tokens_first", False))


def config_of(name: str) -> type | None:
    """Return the settings of a registered model; None where only a function makes it."""
    registry = MULTIMODAL if name in MULTIMODAL else KNOWN_MODELS
    return getattr(registry[name], "Config", None)


def check_model(recipe: Recipe) -> None:
    """Raise ``ValueError`` where a registered model does not take the settings of a recipe.

    A model says so, too, when it is made, which is after its features have been.
    """
    name = recipe.model_name
    modalities_of(name)
    config = config_of(name) or NoSettings
    if config is not NoSettings:  # a model without one may have arguments of its own
        check_arguments("model", recipe.model_settings, config, owner=f"model {name!r}")


def model_maker(features: Mapping[str, ModalFeatures], texts: TextChoice = "all") -> Make:
    """Return what makes every registered model of a :class:`.Recipe`, those with features, too.

    ``texts`` are those that mentions are looked for in, see :data:`.TextChoice`.
    """

    def make(name: str, store: TripleStore, relations: int, settings: Mapping[str, Any]) -> Model:
        if name in MULTIMODAL:
            return make_multimodal(name, store, relations, features, settings, texts, fresh=True)
        return structural_model(name, store, relations, settings)

    return make


def make_multimodal(
    name: str,
    store: TripleStore,
    relations: int,
    features: Mapping[str, ModalFeatures],
    settings: Mapping[str, Any],
    texts: TextChoice = "all",
    mentions: Mentions | None = None,
    seen: Tensor | None = None,
    *,
    fresh: bool = False,
) -> Model:
    """Return a multimodal model, untrained.

    Parameters
    ----------
    name
        One of :data:`.MULTIMODAL`.
    store
        The triples it trains on: how many entities there are, and which of them are seen.
    relations
        How many relations it has: with reciprocal ones, twice those of the triples.
    features
        Frozen features by modality.
    settings
        Fields of its ``Config``.
    texts
        Those that mentions are looked for in, see :data:`.TextChoice`.
    mentions
        Those that were found already.
    seen
        Which entities are, see :func:`.seen_in_train`; by default as ``store`` says.
    fresh
        It is to be trained: features of relations are made for a model that has them. Weights that
        are loaded bring theirs.

    Raises
    ------
    ValueError
        ``score_mentions`` of triples that come from no folder, which would have the texts.
    """
    more: dict[str, Any] = {}
    if MULTIMODAL[name].needs_triples:
        more["triples"] = store.triples("train")
    if settings.get("drop_unseen"):
        more["seen"] = seen_in_train(store) if seen is None else seen
    if settings.get("score_mentions"):
        more["mentions"] = mentions or find_mentions(_labels(store, texts))
    kind = MULTIMODAL[name]
    if fresh and getattr(kind, "with_relation_features", False):
        config: Any = configure(kind.Config, name, settings)
        pictures = config.relation_pictures
        more["relation_features"] = relation_features(store, relations, features, pictures)
    return kind(store.entity_count, relations, features=dict(features), **more, **settings)


def _labels(store: TripleStore, texts: TextChoice) -> list[EntityLabel]:
    if store.directory is None:
        raise ValueError(
            "score_mentions needs the texts in a data set's folder, and these triples come "
            "from none: make LBMKGC with mentions=find_mentions(labels)"
        )
    return describe_entities(store.directory, texts)
