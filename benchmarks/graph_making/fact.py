"""A fact of a graph that is being made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple


class Fact(NamedTuple):
    """A triple of names."""

    head: str
    relation: str
    tail: str


def kinds_of(facts: Iterable[Fact], perceptual: Collection[str]) -> dict[str, str]:
    """Return each relation's kind: perceptual where a picture may show the answer."""
    relations = {fact.relation for fact in facts}
    return {r: "perceptual" if r in perceptual else "conceptual" for r in sorted(relations)}
