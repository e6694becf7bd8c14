"""How triples that come in one piece are divided: by triple, or by entity."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openke.data.store import Split, TripleStore

Rows = NDArray[np.int64]
"""Triples by id: Int["n 3"]."""


@dataclass(frozen=True, kw_only=True)
class Division:
    """Shares of what is divided.

    Attributes
    ----------
    valid, test
        Shares of the distinct triples. Fewer are taken where more would leave an entity or a
        relation out of train. With ``unseen`` they say how its entities are divided.
    seed
        Of the choice.
    unseen
        Share of the entities that train does not have: every triple of theirs is in valid or test.
        Where something is said of some entities, of these: of others nothing would be known. Fewer
        are taken where more would leave another entity or a relation out of train. 0: the division
        is by triple.
    """

    valid: float = 0.1
    test: float = 0.1
    seed: int = 0
    unseen: float = 0.0

    def __post_init__(self) -> None:
        """Check the shares."""
        if not (self.valid >= 0 and self.test >= 0 and self.valid + self.test < 1):
            raise ValueError(
                f"shares of {self.valid} for valid and {self.test} for test: expected none below 0 "
                "and a sum below 1, the rest is train"
            )
        if not 0 <= self.unseen < 1:
            raise ValueError(f"a share of {self.unseen} unseen entities: expected 0 to below 1")
        if self.unseen and not self.valid + self.test:
            raise ValueError("unseen entities need a share of valid or of test to be in")


def divide(
    triples: Rows,
    entities: int,
    relations: int,
    division: Division,
    described: Collection[int] = (),
) -> dict[Split, Rows]:
    """Return the splits of triples, distinct ones.

    Parameters
    ----------
    triples
        By id.
    entities, relations
        How many there are.
    division
        Into what shares.
    described
        Entities of which something is said, by text or picture.
    """
    if not len(triples):
        return {"train": triples}
    whole = TripleStore.from_triples(triples, entities=entities, relations=relations)
    if division.unseen:
        return _by_entity(whole, division, described)
    return _by_triple(whole, division)


def _by_triple(rest: TripleStore, division: Division) -> dict[Split, Rows]:
    sizes = {"entities": rest.entity_count, "relations": rest.relation_count}
    total = len(rest.triples("train"))
    taken: dict[Split, Rows] = {}
    shares: dict[Split, float] = {"test": division.test, "valid": division.valid}
    for number, (split, share) in enumerate(shares.items()):
        wanted = int(share * total + 1e-9)
        train = rest.triples("train")
        if wanted:
            # Half a triple more, so that rounding down gives what is wanted.
            divided = rest.hold_out((wanted + 0.5) / len(train), (division.seed + number) % 2**64)
            taken[split], train = divided.triples("valid"), divided.triples("train")
        rest = TripleStore.from_triples(train, **sizes)
    return {"train": rest.triples("train"), **taken}


def _by_entity(
    whole: TripleStore, division: Division, described: Collection[int]
) -> dict[Split, Rows]:
    """Take entities out of train by chance, and give each to test or valid.

    A triple of a test entity is in test, whatever its other end is.
    """
    triples = whole.triples("train")
    order = np.random.default_rng(division.seed).permutation(whole.entity_count)
    if described:
        order = order[np.isin(order, list(described))]
    chosen = _removable(triples, order.tolist(), int(division.unseen * len(order) + 1e-9), whole)
    tested = round(len(chosen) * division.test / (division.test + division.valid))
    kind = np.zeros(whole.entity_count, np.int64)
    kind[chosen[tested:]], kind[chosen[:tested]] = 1, 2
    of_row = np.maximum(kind[triples[:, 0]], kind[triples[:, 2]])
    splits: tuple[Split, ...] = ("train", "valid", "test")
    return {split: triples[of_row == code] for code, split in enumerate(splits)}


def _removable(triples: Rows, order: list[int], wanted: int, whole: TripleStore) -> list[int]:
    """Return entities that can leave train, so that no other and no relation leaves with them."""
    ends = np.concatenate([triples[:, 0], triples[:, 2]])
    rows = np.argsort(ends, kind="stable") % len(triples)
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=whole.entity_count))])
    degree = np.bincount(ends, minlength=whole.entity_count)
    uses = np.bincount(triples[:, 1], minlength=whole.relation_count)
    there = np.ones(len(triples), bool)
    chosen: list[int] = []
    for entity in order:
        if len(chosen) >= wanted:
            break
        mine = np.unique(rows[starts[entity] : starts[entity + 1]])
        mine = mine[there[mine]]
        if not len(mine):
            continue
        taken = triples[mine]
        others, times = np.unique(taken[:, [0, 2]], return_counts=True)
        kept = others != entity
        used, often = np.unique(taken[:, 1], return_counts=True)
        if (degree[others[kept]] <= times[kept]).any() or (uses[used] <= often).any():
            continue
        degree[others] -= times
        uses[used] -= often
        there[mine] = False
        chosen.append(entity)
    return chosen
