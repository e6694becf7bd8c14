"""Dropping what the graph says too little about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from graph_making.fact import Fact

LEAST = 2
"""Facts an entity is at least in; with one, it could not be in both train and test."""


def core(facts: Iterable[Fact], least: int = LEAST) -> list[Fact]:
    """Drop entities with fewer facts, until none is left; return the facts in order."""
    kept = sorted(set(facts))
    while True:
        degree = Counter(entity for fact in kept for entity in (fact.head, fact.tail))
        left = [f for f in kept if degree[f.head] >= least and degree[f.tail] >= least]
        if len(left) == len(kept):
            return kept
        kept = left
