"""How much a server takes of anybody."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What bounds a request; what is beyond gets a 4xx and one sentence."""

    answers: int = 100
    """To a query, and of a search."""
    queries: int = 100
    """In a request."""
    name: int = 200
    """Characters of a name."""
    text: int = 10_000
    """Characters of what is said of an entity."""
    upload: int = 10 * 2**20
    """Bytes of a request, its picture included."""
    pixels: int = 25_000_000
    """Of a picture."""
    added: int = 1000
    """Entities added to one server."""
    connections: int = 200
    """At once; others are told to come back, by a 503."""
    seconds: float = 60
    """That a request may take to arrive."""


LIMITS = Limits()
