"""Which facts of countries give each other away, and the split that keeps them together."""

from __future__ import annotations

from collections.abc import Iterable

from graph_making.fact import Fact
from graph_making.split import Key, split_facts

from country_graph.facts import PERCEPTUAL

SEED = "factbook 1.0.0, split 1"
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
    """Return train, valid and test."""
    return split_facts(facts, _key, PERCEPTUAL, SEED)


def _key(fact: Fact) -> Key:
    kind = TOGETHER.get(fact.relation)
    first, second = sorted((fact.head, fact.tail)) if kind else (fact.head, fact.tail)
    return (kind or fact.relation, first, second)
