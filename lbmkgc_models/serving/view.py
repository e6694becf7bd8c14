"""A run as it is looked at: names to search, texts, pictures, what an entity is related by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.feature_store.texts import describe_entities
from lbmkgc_models.features.small_pictures import pictures_in
from lbmkgc_models.serving.name_search import NameSearch
from openke.runs.load import Run


class View:
    """What a run's folder says of its entities; never changes.

    Parameters
    ----------
    run
        The run. Where its folder has no data set of its own, texts and pictures are those of the
        data set that it was trained on.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.entities = run.predictor.entities
        self.relations = run.predictor.relations
        self.entity_search = NameSearch(self.entities)
        self.relation_search = NameSearch(self.relations)

    def text(self, entity: int) -> str:
        """Return what is said of an entity; "" where nothing is."""
        return self._labels[entity].description if self._labels else ""

    def pictures(self, entity: int) -> Sequence[Path]:
        """Return the files of an entity's pictures."""
        return self._pictures.get(self.entities.name(entity), ())

    def relations_of(self, entity: int) -> tuple[list[int], list[int]]:
        """Return the relations that an entity is head, and tail, of in train."""
        train = self.run.store.triples("train")
        if not self.run.facts:
            return [], []
        found = [np.unique(train[train[:, end] == entity, 1]).tolist() for end in (0, 2)]
        return found[0], found[1]

    @cached_property
    def _labels(self) -> list[EntityLabel]:
        directory = self.run.whole.directory
        try:
            return describe_entities(directory) if directory is not None else []
        except FileNotFoundError:
            return []

    @cached_property
    def _pictures(self) -> Mapping[str, Sequence[Path]]:
        return pictures_in(self.run.whole.directory, self.run.whole.entity_names)
