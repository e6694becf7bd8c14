"""Which share of entities has which modality (the paper's Figure 5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from openke.data.store import SPLITS, TripleStore
from openke.runtime.files import read_text

KINDS = "relation_kinds.tsv"

CLASSES = {
    "both": "text and a real picture",
    "generated": "text and a generated picture",
    "text": "text only",
    "image": "a picture only",
    "none": "neither",
}
"""Class -> what it is called; every entity is in one."""


@dataclass(frozen=True)
class Coverage:
    """How many entities of a group are in each class."""

    group: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Entities of the group."""
        return sum(self.counts.values())

    def share(self, name: str) -> float:
        """Return the share of a class, 0 for a group without entities."""
        return self.counts[name] / max(self.total, 1)


def classes_of(text: Tensor, image: Tensor, generated: Tensor) -> list[str]:
    """Return the class of each entity.

    Parameters
    ----------
    text, image
        Bool["entities"], what is there.
    generated
        Bool["entities"], whether all its pictures were generated.
    """
    found = []
    rows = torch.stack([text, image, generated], dim=1).tolist()
    for has_text, has_image, is_generated in rows:
        if has_text and has_image:
            found.append("generated" if is_generated else "both")
        else:
            found.append("text" if has_text else "image" if has_image else "none")
    return found


def coverage(classes: Sequence[str], store: TripleStore) -> list[Coverage]:
    """Count classes among all entities and, where relations have kinds, those each kind meets.

    Kinds come from ``relation_kinds.tsv`` in the data set's folder: relation, tab, kind.
    """
    groups = {"all entities": range(len(classes))} | _met_by_kind(store)
    return [
        Coverage(group, {name: sum(classes[i] == name for i in members) for name in CLASSES})
        for group, members in groups.items()
    ]


def _met_by_kind(store: TripleStore) -> dict[str, Sequence[int]]:
    path = store.directory / KINDS if store.directory else Path(KINDS)
    if store.directory is None or store.relation_names is None or not path.is_file():
        return {}
    kinds = _read_kinds(path)
    found: dict[str, set[int]] = {}
    for split in SPLITS:
        for head, relation, tail in store.triples(split).tolist():
            kind = kinds.get(store.relation_names[relation])
            if kind is not None:
                found.setdefault(kind, set()).update((head, tail))
    return {f"met by {kind} relations": sorted(found[kind]) for kind in sorted(found)}


def _read_kinds(path: Path) -> dict[str, str]:
    kinds = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        relation, tab, kind = line.partition("\t")
        if not tab:
            raise ValueError(f"{path}:{number}: {line!r}, expected a relation, a tab and its kind")
        kinds[relation.strip()] = kind.strip()
    return kinds
