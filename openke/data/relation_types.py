"""Types of relations: 1-1 to n-n by their partners, and kinds that a data set tells apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openke.data.store import RelationStatistics, TripleStore
from openke.runtime.files import is_there, read_text

KINDS = "relation_kinds.tsv"
CATEGORIES = ("1-1", "1-n", "n-1", "n-n")
MANY = 1.5
"""A side is "n" from this mean number of partners on (Bordes et al., NIPS 2013, section 4.2)."""


def categories(store: TripleStore) -> NDArray[np.str_]:
    """Return the category of each relation, "1-1", "1-n", "n-1" or "n-n", from the train split."""
    return relation_categories(store.relation_statistics())


def relation_categories(statistics: RelationStatistics) -> NDArray[np.str_]:
    """Return the category of each relation: "n" on a side with :data:`MANY` partners or more."""
    heads = np.where(statistics.heads_per_tail >= MANY, "n", "1")
    tails = np.where(statistics.tails_per_head >= MANY, "n", "1")
    return np.char.add(np.char.add(heads, "-"), tails)


def relation_kinds(store: TripleStore) -> NDArray[np.str_] | None:
    """Return the kind of each relation from ``relation_kinds.tsv``; None where there is none.

    The file beside the triples has a line per relation: its name, a tab, its kind.

    Raises
    ------
    ValueError
        A line of another form, a relation that the data set does not have, has twice or lacks; the
        message names file and line.
    """
    path = None if store.directory is None else Path(store.directory) / KINDS
    if path is None or not is_there(path):
        return None
    if store.relation_names is None:
        raise ValueError(f"{path}: the data set has no names of relations, which it goes by")
    ids = {name: relation for relation, name in enumerate(store.relation_names)}
    kinds: dict[int, str] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        name, _, kind = (field.strip() for field in line.partition("\t"))
        if not line.strip():
            continue
        if not kind or name not in ids or ids[name] in kinds:
            raise ValueError(
                f"{path}:{number}: {line!r}, expected a relation of relation2id.txt, each once, "
                "a tab and its kind"
            )
        kinds[ids[name]] = kind
    missing = [name for name, relation in ids.items() if relation not in kinds]
    if missing:
        raise ValueError(f"{path}: no line for the relation {missing[0]!r}, expected all of them")
    return np.array([kinds[relation] for relation in range(store.relation_count)])
