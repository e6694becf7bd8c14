"""Relation categories and type constraints of a data set: what OpenKE's n-n.py writes."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.relation_types import CATEGORIES, relation_categories
from openke.data.store import SPLITS, TripleStore
from openke.data.type_constraint import FILE as CONSTRAINT
from openke.data.type_constraint import TypeConstraint
from openke.runtime.arguments import parse_arguments
from openke.runtime.files import write_text
from openke.runtime.script import exit_status
from openke.runtime.words import counted

ALL = "test2id_all.txt"


def write_categories(directory: Path, /) -> None:
    """Write 1-1.txt, 1-n.txt, n-1.txt, n-n.txt, test2id_all.txt and type_constrain.txt.

    The first four hold the test triples whose relation is of that category, as a count and lines
    ``head tail relation``; ``test2id_all.txt`` all of them, each line headed by the number of its
    category, 0 to 3. ``type_constrain.txt`` lists for each relation the heads and the tails it has
    in any split. As in OpenKE, relations are judged by all splits; reports judge them by train
    alone. What differs from OpenKE: triples that a file repeats count once, ids are sorted, and a
    relation without triples is listed too, without which the file cannot be read back.

    Parameters
    ----------
    directory
        A folder in OpenKE's format; the files are written into it, each whole or not at all.

    Raises
    ------
    FileNotFoundError, ValueError
        The data set cannot be read.
    """
    store = TripleStore.open(directory)
    everything = TripleStore.from_triples(
        np.concatenate([store.triples(split) for split in SPLITS]),
        entities=store.entity_count,
        relations=store.relation_count,
    )
    category = relation_categories(everything.relation_statistics())
    test = store.triples("test")
    of_triple = category[test[:, RELATION]]
    lines = _lines(test)
    for name in CATEGORIES:
        _write(directory / f"{name}.txt", lines[of_triple == name])
    numbers = [CATEGORIES.index(name) for name in of_triple]
    _write(directory / ALL, [f"{n}\t{line}" for n, line in zip(numbers, lines, strict=True)])
    _write(directory / CONSTRAINT, _constraint(store), count=store.relation_count)
    _tell(directory, category)


def _lines(triples: NDArray[np.int64]) -> NDArray[np.str_]:
    columns = triples[:, [HEAD, TAIL, RELATION]].tolist()
    return np.array([" ".join(map(str, row)) for row in columns], dtype=np.str_)


def _constraint(store: TripleStore) -> list[str]:
    admitted = TypeConstraint.from_store(store)
    lines = []
    for relation in range(store.relation_count):
        for slot in ("head", "tail"):
            ids = admitted.allowed(slot, relation).tolist()
            lines.append("\t".join(map(str, [relation, len(ids), *ids])))
    return lines


def _write(path: Path, lines: Iterable[str], count: int | None = None) -> None:
    rows = list(lines)
    write_text(path, "\n".join([str(len(rows) if count is None else count), *rows]) + "\n")


def _tell(directory: Path, category: NDArray[np.str_]) -> None:
    found = ", ".join(f"{int((category == name).sum())} {name}" for name in CATEGORIES)
    print(f"{directory}: {counted(len(category), 'relation')} ({found})")


if __name__ == "__main__":
    command = partial(parse_arguments, write_categories, prog="python -m openke.tools.n_n")
    sys.exit(exit_status("openke.tools.n_n", command))
