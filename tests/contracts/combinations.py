"""Which combinations of models, batches and objectives the contracts are tried on.

All of them grow with the product of what is registered, and a defect of just one of them, which no
pair of its parts has, is rare. So each model meets each value of whatever else a test is repeated
over, and all combinations of these others occur over the models. ``./make.sh exhaustive`` sets
``OPENKE_EXHAUSTIVE=1``, which tries the whole product.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import pytest

EXHAUSTIVE = os.environ.get("OPENKE_EXHAUSTIVE", "0") not in ("", "0")


def combined(cases: Iterable[str], **others: Iterable[Any]) -> pytest.MarkDecorator:
    """Repeat a test over ``case`` and over each of the others, by the rule above."""
    choices = [list(cases), *map(list, others.values())]
    rows = list(product(*choices) if EXHAUSTIVE else sparse(*choices))
    return pytest.mark.parametrize(
        ("case", *others), rows, ids=["-".join(map(_name, row)) for row in rows]
    )


def sparse(cases: Sequence[Any], *others: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Yield as many rows for each case as the longest of the others has values.

    Where there are as many cases as the others have combinations, or more, all of these occur.
    """
    for place, case in enumerate(cases):
        for row in range(max(map(len, others))):
            values, shift = [], place
            for choice in others:
                values.append(choice[(row + shift) % len(choice)])
                shift //= len(choice)
            yield (case, *values)


def on_batches(cases: Iterable[str], shapes: Iterable[str]) -> pytest.MarkDecorator:
    """Repeat a test over ``case`` and ``shape``, the shape of a batch.

    The case that has the bare name of its model meets every shape. A further one differs from it in
    a setting: it meets one shape with shared negatives and one with own, others than the case
    before.
    """
    rows = list(product(cases, shapes) if EXHAUSTIVE else _few(list(cases), list(shapes)))
    return pytest.mark.parametrize(("case", "shape"), rows, ids=["-".join(row) for row in rows])


def _few(cases: Sequence[str], shapes: Sequence[str]) -> Iterator[tuple[str, str]]:
    kinds = [[s for s in shapes if s.startswith("shared") == shared] for shared in (False, True)]
    for place, case in enumerate(cases):
        met = [kind[place % len(kind)] for kind in kinds] if " " in case else shapes
        yield from ((case, shape) for shape in met)


def _name(value: str | Callable[..., object] | float) -> str:
    return getattr(value, "__name__", str(value))
