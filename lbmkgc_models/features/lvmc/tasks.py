"""Which entities want a picture, and what it takes to draw it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.features.lvmc.prompt import PromptTemplate
from lbmkgc_models.features.lvmc.seeds import seed_of
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from openke.datasets.pictures import folder_name


@dataclass(frozen=True)
class Task:
    """A picture to draw."""

    entity: str
    folder: Path
    prompt: str
    """"" for an entity without a text."""
    seed: int


def tasks_of(
    labels: Sequence[EntityLabel], have: Collection[str], out: Path, drawing: DrawingSettings
) -> list[Task]:
    """Return a task for each entity without a picture, sorted by name.

    Parameters
    ----------
    labels
        The entities and their texts.
    have
        Names of the entities that have a picture.
    out
        Folder of generated pictures, one folder an entity.
    drawing
        Has the template and the run's seed.
    """
    template, having = PromptTemplate(drawing.template), frozenset(have)
    return [
        Task(
            label.name,
            out / folder_name(label.name),
            template.fill(label.label, label.description),
            seed_of(label.name, drawing.seed),
        )
        for label in sorted(labels, key=lambda label: label.name)
        if label.name not in having
    ]
