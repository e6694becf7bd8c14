"""Reading triples and drawing negatives in plain NumPy, written the usual way.

Shapes: b positives, k negatives of each.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from openke.data.store import TripleStore

SPLITS = ("train", "valid", "test")
Triples = NDArray[np.int64]


class PlainStore:
    """A data set in NumPy: splits without duplicates, known answers sorted by query."""

    def __init__(self, folder: Path) -> None:
        read = {split: _read(folder, split) for split in SPLITS}
        self.splits = {split: _distinct(triples) for split, triples in read.items()}
        every = _distinct(np.concatenate(list(self.splits.values())))
        self.tails = every  # sorted by head, relation, tail already
        self.heads = every[np.lexsort((every[:, 0], every[:, 1], every[:, 2]))]


def _read(folder: Path, split: str) -> Triples:
    with (folder / f"{split}2id.txt").open() as file:
        file.readline()
        numbers = np.fromstring(file.read(), dtype=np.int64, sep=" ")
    return numbers.reshape(-1, 3)[:, [0, 2, 1]]


def _distinct(triples: Triples) -> Triples:
    e, r = (int(triples[:, column].max()) + 1 for column in (2, 1))
    numbers = np.unique((triples[:, 0] * r + triples[:, 1]) * e + triples[:, 2])
    return np.column_stack([numbers // (e * r), numbers // e % r, numbers % e])


class Drawn(NamedTuple):
    """Facts and what stands in place of one of their entities."""

    positive: Tensor
    """Facts, Int["b 3"]."""
    others: Tensor
    """Entities in place of the head or of the tail, Int["b k"]; Int["1 k"] where shared."""
    on_head: Tensor
    """Whether in place of the head, Bool["b k"]; Bool["b 1"] where negatives are shared."""
    facts: Tensor | None
    """Which are facts, and are to be left out, Bool["b k"]; None: none is."""


def draw_negatives(
    store: TripleStore, random: np.random.Generator, negatives: int, *, shared: bool = False
) -> Callable[[Triples], Drawn]:
    """Return a function from Int["b 3"] to its filtered Bernoulli negatives.

    Facts among the draws are looked up in a sorted table of numbers and drawn again. With
    ``shared`` there is one set of entities for all positives, each of which has them on one side,
    and facts are told.
    """
    statistics = store.relation_statistics()
    by_head = statistics.tails_per_head / (
        statistics.tails_per_head + statistics.heads_per_tail + 1e-12
    )
    e, r = store.entity_count, store.relation_count
    facts = np.sort(numbers_of(store, store.triples("train")))

    def is_fact(numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        at = np.minimum(np.searchsorted(facts, numbers), len(facts) - 1)
        return facts[at] == numbers

    def draw(positive: Triples) -> Drawn:
        coins = random.random((len(positive), 1 if shared else negatives))
        on_head = coins < by_head[positive[:, 1], None]
        # The number of a fact with one entity put in is a number of the rest plus its multiple.
        head, relation, tail = (column[:, None] for column in positive.T)
        rest = np.where(on_head, relation * e + tail, (head * r + relation) * e)
        times = np.where(on_head, r * e, 1)
        others = random.integers(e, size=(1 if shared else len(positive), negatives))
        found = is_fact(rest + times * others)
        if shared:
            return Drawn(*map(torch.from_numpy, (np.array(positive), others, on_head, found)))
        wrong = np.flatnonzero(found)
        rest, times, flat = rest.ravel(), times.ravel(), others.ravel()
        while len(wrong):
            flat[wrong] = random.integers(e, size=len(wrong))
            wrong = wrong[is_fact(rest[wrong] + times[wrong] * flat[wrong])]
        return Drawn(*map(torch.from_numpy, (np.array(positive), others, on_head)), None)

    return draw


def numbers_of(store: TripleStore, triples: Triples) -> NDArray[np.int64]:
    """Return a number for each of Int["… 3"]."""
    e, r = store.entity_count, store.relation_count
    return (triples[..., 0] * r + triples[..., 1]) * e + triples[..., 2]
