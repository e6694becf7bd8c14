"""Named triples by number, and what their numbers say of the rows that they come from."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openke.data.store import Split
from openke.datasets.named_triples import NamedTriple, is_name, not_a_name
from openke.datasets.tables import BadRows

REPEATED = "repeated triples"
TELLING = 10
"""In so many rows and more, a name that comes once tells something."""


@dataclass(frozen=True)
class Numbered:
    """Triples by number, Int["n 3"] for each part, and the names in the order of numbers."""

    entities: Sequence[str]
    relations: Sequence[str]
    rows: Sequence[NDArray[np.int64]]

    @classmethod
    def of(cls, parts: Iterable[Iterable[NamedTriple]]) -> Numbered:
        """Give names numbers in the order in which they first occur.

        Raises
        ------
        ValueError
            A name that OpenKE's files cannot hold.
        """
        entities: dict[str, int] = {}
        relations: dict[str, int] = {}
        rows = []
        for part in parts:
            ids = array("q")
            for head, relation, tail in part:
                ids.append(entities.setdefault(head, len(entities)))
                ids.append(relations.setdefault(relation, len(relations)))
                ids.append(entities.setdefault(tail, len(entities)))
            rows.append(np.array(ids, np.int64).reshape(-1, 3))
        for name in (*entities, *relations):
            if not is_name(name):
                raise ValueError(not_a_name(name))
        return cls(list(entities), list(relations), rows)


def list_repeated(
    numbered: Numbered,
    kept: Mapping[Split, NDArray[np.int64]],
    place: Callable[[int], str],
    bad: BadRows,
) -> None:
    """List the triples that were there before; ``place`` says where the row of a number stands."""
    (rows,) = numbered.rows
    if len(rows) == sum(map(len, kept.values())):
        return
    order = np.lexsort(rows.T)  # stable: of equal ones the first comes first
    again = np.zeros(len(rows), bool)
    again[order[1:]] = (rows[order[1:]] == rows[order[:-1]]).all(axis=1)
    entities, relations = numbered.entities, numbered.relations
    for row in np.flatnonzero(again).tolist():
        head, relation, tail = rows[row].tolist()
        said = f"there already: {entities[head]}, {relations[relation]}, {entities[tail]}"
        bad.leave_out(place(row), said, REPEATED)


def note_first_rows(numbered: Numbered, bad: BadRows) -> None:
    """Note where the first row of a table may be a header that is not known as one."""
    rows = np.concatenate(list(numbered.rows))
    if len(rows) < TELLING:
        return
    for place, (head, relation, tail) in bad.headless:
        ids = numbered.entities.index(head), numbered.entities.index(tail)
        if (
            np.isin(rows[:, [0, 2]], ids).sum() == 2
            and (rows[:, 1] == numbered.relations.index(relation)).sum() == 1
        ):
            bad.notes.append(
                f"{place}: the first row, {head}, {relation}, {tail}, was taken for a fact, though "
                "none of its names comes again; --header yes (header=True) takes it for a header"
            )
