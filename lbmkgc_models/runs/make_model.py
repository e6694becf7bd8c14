"""Every model by name, those over structure and those with pictures and text."""

from collections.abc import Mapping
from typing import Any

from lbmkgc_models.feature_store.labels import read_labels
from lbmkgc_models.feature_store.mentions import find_mentions
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.structure_mask import seen_in_train
from lbmkgc_models.model import MULTIMODAL
from openke.data.store import TripleStore
from openke.module.model import MODELS as STRUCTURAL
from openke.module.model import Model

MODELS: dict[str, type[Model]] = {**STRUCTURAL, **MULTIMODAL}


def make_multimodal(
    name: str,
    store: TripleStore,
    relations: int,
    features: Mapping[str, ModalFeatures],
    settings: Mapping[str, Any],
) -> Model:
    """Return a multimodal model, untrained.

    Parameters
    ----------
    name
        One of :data:`MULTIMODAL`.
    store
        The triples it trains on: how many entities there are, and which of them are seen.
    relations
        How many relations it has: with reciprocal ones, twice those of the triples.
    features
        Frozen features by modality.
    settings
        Fields of its ``Config``.

    Raises
    ------
    ValueError
        ``score_mentions`` of triples that come from no folder, which would have the texts.
    """
    more: dict[str, Any] = {}
    if settings.get("drop_unseen"):
        more["seen"] = seen_in_train(store)
    if settings.get("score_mentions"):
        if store.directory is None:
            raise ValueError(
                "score_mentions needs the texts in a data set's folder, and these triples come "
                "from none: make LBMKGC with mentions=find_mentions(labels)"
            )
        more["mentions"] = find_mentions(read_labels(store.directory))
    return MULTIMODAL[name](
        store.entity_count, relations, features=dict(features), **more, **settings
    )
