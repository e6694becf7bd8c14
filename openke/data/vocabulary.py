"""Entities and relations as people write them: by id, name or label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from openke.data.store import TripleStore
from openke.runtime.files import is_there, read_text
from openke.runtime.names import close_names

LABEL_FILES = {"entity": "labels.tsv", "relation": "relation_labels.tsv"}
LISTED = 5
"""Names listed where one is not known or a label means several."""


class Vocabulary:
    """The names and labels of one kind, in both directions.

    Parameters
    ----------
    kind
        "entity" or "relation".
    count
        How many there are.
    names
        Names by id, or None where the data set has none.
    directory
        Folder that may hold ``labels.tsv`` or ``relation_labels.tsv``.
    """

    def __init__(
        self, kind: str, count: int, names: Sequence[str] | None, directory: Path | None
    ) -> None:
        self.kind = kind
        self.count = count
        self.names = names
        self._labels = directory / LABEL_FILES[kind] if directory is not None else None

    def id(self, given: int | str) -> int:
        """Return the id of an id, a name, or a label that only one has.

        Raises
        ------
        ValueError
            Unknown, out of range, or a label that several have.
        """
        if not isinstance(given, str):
            return self._checked(int(given))
        if given in self._by_name:
            return self._by_name[given]
        if given in self._by_label:
            found = self._by_label[given]
            if len(found) == 1:
                return found[0]
            some = ", ".join(self.name(i) for i in found[:LISTED])
            raise ValueError(f"{len(found)} {self.kind} names have the label {given!r}: {some}")
        if self.names is None and given.isdecimal():
            return self._checked(int(given))
        known = list({**self._by_name, **self._by_label})  # once where a label is a name too
        close = close_names(given, known, LISTED)
        hint = f"did you mean {', '.join(close)}?" if close else "expected one of the data set's"
        raise ValueError(f"no {self.kind} has the name or label {given!r}; {hint}")

    def name(self, id: int) -> str:
        """Return the name of an id; the id itself where there are no names."""
        return str(id) if self.names is None else self.names[id]

    def label(self, id: int) -> str | None:
        """Return the label of an id, None where there is none."""
        return self._label_of.get(id) or None

    def title(self, id: int) -> str:
        """Return the label of an id, where there is one, else its name."""
        return self.label(id) or self.name(id)

    def _checked(self, id: int) -> int:
        if not 0 <= id < self.count:
            raise ValueError(f"{self.kind} id is {id}, expected 0 to {self.count - 1}")
        return id

    @cached_property
    def _by_name(self) -> Mapping[str, int]:
        return {name: i for i, name in enumerate(self.names or ())}

    @cached_property
    def _label_of(self) -> Mapping[int, str]:
        if self._labels is None or not is_there(self._labels):
            return {}
        lines = read_text(self._labels).splitlines()
        rows = [line.split("\t") for line in lines]
        return {int(row[0]): row[2] for row in rows if len(row) > 2 and row[0].isdecimal()}

    @cached_property
    def _by_label(self) -> Mapping[str, list[int]]:
        found: dict[str, list[int]] = {}
        for id, label in self._label_of.items():
            found.setdefault(label, []).append(id)
        return found


def entity_names(store: TripleStore) -> Vocabulary:
    """Return the names of a store's entities."""
    return Vocabulary("entity", store.entity_count, store.entity_names, store.directory)


def relation_names(store: TripleStore) -> Vocabulary:
    """Return the names of a store's relations."""
    return Vocabulary("relation", store.relation_count, store.relation_names, store.directory)
