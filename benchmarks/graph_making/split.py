"""Train, valid and test without leaks, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable

from graph_making.fact import Fact

HELD_OUT = {"test": 0.1, "valid": 0.1}
# What pictures may help with is little: more of it is tested.
HELD_OUT_PERCEPTUAL = {"test": 0.2, "valid": 0.1}
Key = tuple[str, ...]
"""Facts with the same one give each other away."""


def split_facts(
    facts: Iterable[Fact], key: Callable[[Fact], Key], perceptual: Collection[str], seed: str
) -> dict[str, list[Fact]]:
    """Split by relation; facts that give each other away stay together.

    Every entity and relation of valid and test stays in train: a group that would take the last
    fact of one is not moved.

    Parameters
    ----------
    facts
        All of the graph.
    key
        What facts that stay together have in common.
    perceptual
        Relations of which more is tested.
    seed
        Groups are drawn by its SHA-256 with their keys.
    """
    facts = sorted(facts)
    wanted = _quotas(facts, perceptual)
    left = _mentions(facts)
    parts: dict[str, list[Fact]] = {"train": [], "valid": [], "test": []}
    for group in _groups(facts, key, seed):
        taken = _mentions(group)
        relations = Counter(fact.relation for fact in group)
        spare = all(left[what] > count for what, count in taken.items())
        fitting = (
            part
            for part, quota in wanted.items()
            if spare and all(quota[relation] >= count for relation, count in relations.items())
        )
        part = next(fitting, "train")
        parts[part] += group
        if part != "train":
            left -= taken
            wanted[part] -= relations
    return {part: sorted(kept) for part, kept in parts.items()}


def _quotas(facts: list[Fact], perceptual: Collection[str]) -> dict[str, Counter[str]]:
    """Return how many facts of each relation are held out for each split."""
    quotas: dict[str, Counter[str]] = {"test": Counter(), "valid": Counter()}
    for relation, count in Counter(fact.relation for fact in facts).items():
        shares = HELD_OUT_PERCEPTUAL if relation in perceptual else HELD_OUT
        for part, share in shares.items():
            quotas[part][relation] = round(share * count)
    return quotas


def _mentions(facts: Iterable[Fact]) -> Counter[tuple[str, str]]:
    """Count the facts of each entity and of each relation."""
    return Counter(
        what
        for fact in facts
        for what in {("entity", fact.head), ("entity", fact.tail), ("relation", fact.relation)}
    )


def _groups(facts: list[Fact], key: Callable[[Fact], Key], seed: str) -> list[list[Fact]]:
    """Group the facts that stay together, in an order drawn from the seed."""
    groups: dict[Key, list[Fact]] = defaultdict(list)
    for fact in facts:
        groups[key(fact)].append(fact)

    def drawn(key: Key) -> str:
        return hashlib.sha256("\t".join((seed, *key)).encode()).hexdigest()

    return [groups[key] for key in sorted(groups, key=drawn)]
