"""What the page says, gathered before any of it is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lbmkgc_models.feature_store.audit import audit_features
from lbmkgc_models.feature_store.labels import LABELS
from lbmkgc_models.feature_store.load import load_features
from lbmkgc_models.feature_store.manifest import Manifest
from lbmkgc_models.feature_store.search_path import find_features
from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.feature_store.texts import read_texts
from lbmkgc_models.features.cmoa.heads import MODALITIES
from lbmkgc_models.features.report.coverage import Coverage, classes_of, coverage
from lbmkgc_models.features.report.pictures import Shown, show
from lbmkgc_models.features.report.spaces import (
    Space,
    compared,
    nearest,
    shared_space,
    space_before,
)
from openke.audit.finding import Finding
from openke.data.store import TripleStore
from openke.datasets.pictures import find_pictures, is_generated
from openke.runtime.files import is_there

LONGEST = 240
"""Characters of a text on the page."""
ANSWERS = 5
"""Neighbours shown to a query."""


@dataclass(frozen=True)
class Card:
    """An entity on the page."""

    title: str
    text: str
    picture: Shown | None = None


@dataclass(frozen=True)
class Retrieval:
    """An entity of one modality, and of the other the nearest, each with whether it is its own."""

    card: Card
    answers: Sequence[tuple[Card, bool]]
    place: int
    """Where the right one stands among all."""


@dataclass(frozen=True)
class Content:
    """All that the page shows of a data set's features.

    ``spaces`` has the one before and the one after alignment, or one of them, or none;
    ``entities`` are those compared in them, and ``unseen`` says that no head was trained on them.
    """

    dataset: str
    coverage: Sequence[Coverage]
    real: Sequence[Card]
    generated: Sequence[Card]
    spaces: Sequence[Space]
    entities: Tensor
    unseen: bool
    to_text: Sequence[Retrieval]
    to_image: Sequence[Retrieval]
    manifests: Sequence[tuple[str, Manifest]]
    findings: Sequence[Finding]

    @property
    def counts(self) -> list[tuple[str, str, int]]:
        """What the manifests counted: cut texts, skipped pictures, …."""
        return [
            (where, name, value)
            for where, manifest in self.manifests
            for name, value in manifest.notes.items()
            if isinstance(value, int) and not isinstance(value, bool)
        ]


def gather(
    store: TripleStore,
    features: Path,
    *,
    before: Path | None = None,
    pictures: Sequence[Path] = (),
    sample: int = 12,
    seed: int = 0,
) -> Content:
    """Gather what the page shows; see :func:`.write_report`."""
    names = list(store.entity_names or ())
    after = _load(features, store)
    source = {} if before is None else _load(before, store)
    book = _Book(store, find_pictures(pictures, names).files)
    classes = classes_of(*_presence(book, after))
    spaces, entities, unseen = _spaces(after, source)
    shown = entities[drawn(len(entities), min(sample, 8), seed)] if spaces else entities
    chosen = [entities.tolist().index(entity) for entity in shown.tolist()] if spaces else []
    return Content(
        dataset=store.name,
        coverage=coverage(classes, store),
        real=book.sample([i for i in book.pictured if not book.generated[i]], sample, seed),
        generated=book.sample([i for i in book.pictured if book.generated[i]], sample, seed),
        spaces=spaces,
        entities=entities,
        unseen=unseen,
        to_text=_queries(book, spaces, entities, chosen, to_text=True),
        to_image=_queries(book, spaces, entities, chosen, to_text=False),
        manifests=[(name, each.manifest) for name, each in after.items()]
        + [(f"{name}, before", each.manifest) for name, each in source.items()],
        findings=audit_features(store, features),
    )


class _Book:
    """Titles, texts and pictures of entities by id."""

    def __init__(self, store: TripleStore, files: Mapping[str, tuple[Path, ...]]) -> None:
        self.names = list(store.entity_names or ())
        self.texts = [""] * len(self.names)
        if store.directory is not None and is_there(store.directory / LABELS):
            self.texts = list(read_texts(store.directory).texts)
        self.files = [files.get(name, ()) for name in self.names]
        self.pictured = [i for i, found in enumerate(self.files) if found]
        self.generated = [
            bool(found) and all(is_generated(path) for path in found) for found in self.files
        ]
        self._shown: dict[int, Shown] = {}

    def card(self, entity: int, *, picture: bool = True) -> Card:
        title, _, text = self.texts[entity].partition(": ")
        if len(text) > LONGEST:
            text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
        if not picture or not self.files[entity]:
            return Card(title or self.names[entity], text)
        if entity not in self._shown:
            self._shown[entity] = show(self.files[entity][0])
        return Card(title or self.names[entity], text, self._shown[entity])

    def sample(self, entities: Sequence[int], count: int, seed: int) -> list[Card]:
        return [self.card(entities[i]) for i in drawn(len(entities), count, seed).tolist()]


def _load(folder: Path, store: TripleStore) -> dict[str, ModalFeatures]:
    found = find_features(folder, store.name)
    loaded = {
        modality: load_features(modality, found[modality], store)
        for modality in MODALITIES
        if modality in found
    }
    if not loaded:
        raise FileNotFoundError(
            f"{folder}: no image and no text features of {store.name} there, expected the stores "
            "image or text ('openke features' makes them) or AdaMF-MAT's .pth files"
        )
    for features in loaded.values():
        features.require_one_row("the report")
    return loaded


def _presence(book: _Book, features: Mapping[str, ModalFeatures]) -> tuple[Tensor, Tensor, Tensor]:
    """Return which entities have a text, a picture, and generated pictures alone."""
    text = torch.tensor([bool(text) for text in book.texts])
    image = torch.tensor([bool(files) for files in book.files])
    if "text" in features:
        text = features["text"].present
    if "image" in features:
        image = features["image"].present
    return text, image, torch.tensor(book.generated)


def _spaces(
    after: Mapping[str, ModalFeatures], before: Mapping[str, ModalFeatures]
) -> tuple[list[Space], Tensor, bool]:
    """Return the spaces before and after, the entities compared in them, and if they are unseen."""
    none = torch.zeros(0, dtype=torch.long)
    if len(after) < len(MODALITIES):
        return [], none, False
    entities, unseen = compared(after)
    if len(entities) < 2:
        return [], none, False
    found = [space_before(before, entities)] if len(before) == len(MODALITIES) else []
    found.append(shared_space(after, entities, "after alignment" if before else "as they are"))
    return [space for space in found if space is not None], entities, unseen


def _queries(
    book: _Book, spaces: Sequence[Space], entities: Tensor, chosen: Sequence[int], *, to_text: bool
) -> list[Retrieval]:
    """Return queries in the last of the spaces, the one after alignment."""
    found = []
    for query in chosen:
        space = spaces[-1]
        sides = (space.image, space.text) if to_text else (space.text, space.image)
        order, place = nearest(*sides, query, ANSWERS)
        answers = [(book.card(int(entities[i]), picture=not to_text), i == query) for i in order]
        found.append(Retrieval(book.card(int(entities[query]), picture=to_text), answers, place))
    return found


def drawn(size: int, count: int, seed: int) -> Tensor:
    """Return up to ``count`` of ``size`` positions, in order."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(size, generator=generator)[:count].sort().values
