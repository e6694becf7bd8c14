"""Queries as they are given in Python: one name or lists of them for each part of a triple."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

from openke.runs.predictor import ONE_MISSING, NamedQuery

Given = str | int | Sequence[str | int] | None
"""One name or several; None is asked for."""


def named_queries(head: Given, relation: Given, tail: Given) -> list[NamedQuery]:
    """Return a query for each name; what is given once belongs to all of them.

    Raises
    ------
    ValueError
        Fewer than two of the three; lists of unlike lengths.
    """
    if sum(part is not None for part in (head, relation, tail)) < 2:
        raise ValueError(ONE_MISSING)
    head, relation, tail = (
        int(part) if isinstance(part, Integral) else part for part in (head, relation, tail)
    )
    parts: list[Sequence[str | int] | None] = [
        [part] if isinstance(part, (str, int)) else None if part is None else list(part)
        for part in (head, relation, tail)
    ]
    lengths = {len(part) for part in parts if part is not None}
    count = 0 if 0 in lengths else max(lengths, default=0)
    if len(lengths - {1}) > 1:
        raise ValueError(
            f"lists of {', '.join(map(str, sorted(lengths)))} names: expected one length"
        )
    columns = [
        [None] * count if part is None else list(part) * (count if len(part) == 1 else 1)
        for part in parts
    ]
    return list(zip(*columns, strict=True))


def triple_of(query: NamedQuery, answer: str) -> list[str]:
    """Return the names of the triple that an answer to a query makes."""
    return [answer if part is None else str(part) for part in query]
