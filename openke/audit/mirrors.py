"""Relations that say what another one says, or says the other way round.

Shapes: n triples, m meetings of a triple with one of train.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from openke.audit.finding import Finding
from openke.data.store import Split, TripleStore

SHARE = 0.8
"""Share of a relation's pairs that another one must have, too (Akrami et al., SIGMOD 2020)."""
HEAD, RELATION, TAIL = range(3)
"""Columns of triples; where batches have them, PyTorch would be loaded."""
BLOCK = 2**20
"""Triples that are looked up at a time."""
SPLITS: tuple[Split, ...] = ("valid", "test")


class Meeting(NamedTuple):
    """Triples that meet one of train over the same pair of entities."""

    row: NDArray[np.int64]
    """Int["m"]: which triple"""
    relation: NDArray[np.int64]
    """Int["m"]: that of train"""


def mirrored(store: TripleStore) -> Iterator[Finding]:
    """Find valid and test triples whose answer another relation has in train.

    A relation repeats another one if train has :data:`SHARE` of that one's pairs by it, too; it
    mirrors it if train has them with head and tail exchanged. One may mirror itself.
    """
    train = _Pairs(store)
    for reverse in (True, False):
        rules = train.rules(reverse)
        for split in SPLITS if len(rules) else ():
            told = train.told(store.triples(split), rules, reverse)
            if told.any():
                rows = store.multiplicity(split)
                first, second = (_name(store, number) for number in train.example(rules))
                yield _said(split, int(rows[told].sum()), int(rows.sum()), reverse, first, second)


def _said(split: Split, told: int, rows: int, reverse: bool, first: str, second: str) -> Finding:
    how = "exchanged" if reverse else "by another relation"
    turned = " so" if reverse else ""
    return Finding(
        "note",
        split,
        f"{told:,} of {rows:,} rows have their pair of entities in train {how}: {second} has "
        f"{100 * SHARE:.0f} % or more of the pairs of {first}{turned}. One rule answers them: say "
        "so beside figures, or leave one relation of such a pair out",
        {"rows": rows, "rows_mirrored" if reverse else "rows_repeated": told},
    )


class _Pairs:
    """The triples of train by their pairs of entities."""

    def __init__(self, store: TripleStore) -> None:
        self.triples = store.triples("train")
        self.entities, self.relations = store.entity_count, store.relation_count
        key = self.triples[:, HEAD] * self.entities + self.triples[:, TAIL]
        order = np.argsort(key, kind="stable")
        self.key, self.relation = key[order], self.triples[order, RELATION]

    def meetings(self, triples: NDArray[np.int64], reverse: bool) -> Iterator[Meeting]:
        """Yield what triples meet in train, a block at a time; none meets its own relation."""
        known, asked = (TAIL, HEAD) if reverse else (HEAD, TAIL)
        for start in range(0, len(triples), BLOCK):
            some = triples[start : start + BLOCK]
            key = some[:, known] * self.entities + some[:, asked]
            left = np.searchsorted(self.key, key)
            counts = np.searchsorted(self.key, key, side="right") - left
            row = np.repeat(np.arange(len(some)), counts)
            first = np.repeat(left - np.cumsum(counts) + counts, counts)
            relation = self.relation[first + np.arange(len(row))]
            # A loop mirrors itself, and every triple repeats itself.
            own = some[row, RELATION] == relation
            kept = ~own | (reverse & (some[row, HEAD] != some[row, TAIL]))
            yield Meeting(start + row[kept], relation[kept])

    def rules(self, reverse: bool) -> NDArray[np.int64]:
        """Return which relations others mirror or repeat, as numbers r relations + other."""
        codes, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        for row, relation in self.meetings(self.triples, reverse):
            code = self.triples[row, RELATION] * self.relations + relation
            codes, place = np.unique(np.concatenate([codes, code]), return_inverse=True)
            counts = np.bincount(
                place, np.concatenate([counts, np.ones(len(code), np.int64)]), len(codes)
            ).astype(np.int64)
        sizes = np.bincount(self.triples[:, RELATION], minlength=self.relations)
        return codes[counts >= SHARE * sizes[codes // self.relations]] if len(codes) else codes

    def told(
        self, triples: NDArray[np.int64], rules: NDArray[np.int64], reverse: bool
    ) -> NDArray[np.bool_]:
        """Return which triples meet one of train by a rule, Bool["n"]."""
        found = np.zeros(len(triples), bool)
        for row, relation in self.meetings(triples, reverse):
            code = triples[row, RELATION] * self.relations + relation
            found[row[np.isin(code, rules)]] = True
        return found

    def example(self, rules: NDArray[np.int64]) -> tuple[int, int]:
        """Return the two relations of the rule that most triples of train are under."""
        sizes = np.bincount(self.triples[:, RELATION], minlength=self.relations)
        best = int(rules[np.argmax(sizes[rules // self.relations])])
        return divmod(best, self.relations)


def _name(store: TripleStore, relation: int) -> str:
    names = store.relation_names
    return repr(names[relation]) if names is not None else f"relation {relation}"
