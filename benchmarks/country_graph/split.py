"""Train, valid and test without leaks, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable

from country_graph.facts import PERCEPTUAL, Fact

SEED = "factbook 1.0.0, split 1"
HELD_OUT = {"test": 0.1, "valid": 0.1}
# What pictures may help with is little: more of it is tested.
HELD_OUT_PERCEPTUAL = {"test": 0.2, "valid": 0.1}
# Relations that say the same of the same two entities, whichever is the head.
TOGETHER = {
    "borders": "border",
    "exports_to": "trade",
    "imports_from": "trade",
    "flag_colour": "colour",
    "national_colour": "colour",
    "flag_shows": "emblem",
    "national_symbol": "emblem",
}


def split(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Split by relation; facts that give each other away stay together.

    Every entity and relation of valid and test stays in train: a group that would take the last
    fact of one is not moved.
    """
    facts = sorted(facts)
    wanted = _quotas(facts)
    left = _mentions(facts)
    parts: dict[str, list[Fact]] = {"train": [], "valid": [], "test": []}
    for group in _groups(facts):
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


def _quotas(facts: list[Fact]) -> dict[str, Counter[str]]:
    """Return how many facts of each relation are held out for each split."""
    quotas: dict[str, Counter[str]] = {"test": Counter(), "valid": Counter()}
    for relation, count in Counter(fact.relation for fact in facts).items():
        shares = HELD_OUT_PERCEPTUAL if relation in PERCEPTUAL else HELD_OUT
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


def _groups(facts: list[Fact]) -> list[list[Fact]]:
    """Group the facts that stay together, in an order drawn from the seed."""
    groups: dict[tuple[str, ...], list[Fact]] = defaultdict(list)
    for fact in facts:
        kind = TOGETHER.get(fact.relation)
        first, second = sorted((fact.head, fact.tail)) if kind else (fact.head, fact.tail)
        groups[kind or fact.relation, first, second].append(fact)
    return [groups[key] for key in sorted(groups, key=_drawn)]


def _drawn(key: tuple[str, ...]) -> str:
    return hashlib.sha256("\t".join((SEED, *key)).encode()).hexdigest()
