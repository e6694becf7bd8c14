"""Models with features of a run: made anew, packed, given further entities."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from lbmkgc_models.features.small_pictures import picture_of
from lbmkgc_models.runs.contributions import contributions
from lbmkgc_models.runs.new_entities import extend
from lbmkgc_models.runs.rebuilt import features_of, rebuilt, write_parts, write_pictures
from openke.data.store import TripleStore
from openke.module.model import Model
from openke.runs.packed import FEATURES


class MultimodalRuns:
    """What :func:`.load_run` and :class:`.Run` ask of models with features."""

    def __call__(
        self, store: TripleStore, saved: dict[str, Any], features: Path | None = None
    ) -> Model:
        """Return :func:`.rebuilt`."""
        return rebuilt(store, saved, features)

    def pack(
        self, store: TripleStore, saved: dict[str, Any], features: Path | None, folder: Path
    ) -> None:
        """Write what there is of features, mentions and pictures into a packed data set."""
        if FEATURES in saved["model"]:
            found = features_of(store, saved, features)
            write_parts(folder, rebuilt(store, saved, features), found)
        write_pictures(folder, store)

    def extend(self, run: Path, entities: Any, **options: Any) -> None:
        """Add entities to a packed run, see :func:`.extend`."""
        extend(run, entities, **options)

    def picture(self, store: TripleStore) -> Callable[[int], bytes]:
        """Return :func:`.picture_of`."""
        return picture_of(store)

    def contributions(
        self, model: Model, head: Tensor, relation: Tensor, tail: Tensor
    ) -> dict[str, Any]:
        """Return :func:`.contributions`."""
        return contributions(model, head, relation, tail)


multimodal = MultimodalRuns()
"""The entry point "features" of ``openke.rebuilders``."""
