"""Triples that two splits share, and the warning when models are chosen on such a split."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openke.data.store import SPLITS, Split, TripleStore

LEAKY = 0.01  # share of a split's rows in another above which figures on it mean something else


class LeakyValidationWarning(UserWarning):
    """Models are being chosen on a split whose triples are in the train or test split too."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How much of split ``of`` is also in split ``within``, in rows and in distinct triples."""

    of: str
    within: str
    rows: int
    triples: int
    rows_shared: int
    triples_shared: int


def split_overlap(store: TripleStore, a: Split, b: Split) -> Overlap:
    """Count the rows and the distinct triples of split ``a`` that are in split ``b`` too.

    Raises
    ------
    ValueError
        ``a`` or ``b`` is not a split.
    """
    shared = shared_with(store, a, (b,))[b]
    return Overlap(
        of=a,
        within=b,
        rows=store.rows(a),
        triples=len(shared),
        rows_shared=int(store.multiplicity(a)[shared].sum()),
        triples_shared=int(shared.sum()),
    )


def shared_with(
    store: TripleStore, split: Split, others: tuple[Split, ...]
) -> dict[Split, NDArray[np.bool_]]:
    """Tell for each other split which distinct triples of ``split`` it has too: ``Bool["n"]``."""
    parts = [store.triples(name) for name in (split, *others)]
    numbers = np.split(
        _number(np.concatenate(parts)), np.cumsum([len(part) for part in parts])[:-1]
    )
    return {
        other: np.isin(numbers[0], theirs)
        for other, theirs in zip(others, numbers[1:], strict=True)
    }


def leak_of(store: TripleStore, split: Split = "valid") -> str | None:
    """Return how many rows of a split other splits have, too; None up to 1 % of them."""
    rows = store.rows(split)
    others = tuple(name for name in SPLITS if name != split)
    shared = shared_with(store, split, others)
    counts = store.multiplicity(split)
    leaked = int(counts[np.logical_or.reduce(list(shared.values()))].sum())
    if leaked <= LEAKY * rows:
        return None
    parts = ", ".join(f"{int(counts[mask].sum()):,} in {name}" for name, mask in shared.items())
    return f"{leaked:,} of its {rows:,} rows are in other splits too ({parts})"


def warn_if_leaky(store: TripleStore, split: Split = "valid", *, stacklevel: int = 2) -> None:
    """Warn when more than 1 % of a split's rows are also in another split.

    Call it before models, epochs or settings are chosen on ``split``.

    Parameters
    ----------
    store
        The triples.
    split
        The split that is chosen on.
    stacklevel
        Whose line the warning shows: 2 the caller's, 3 that of the caller's caller.

    Warns
    -----
    LeakyValidationWarning
        With the figures and the way out.
    """
    leak = leak_of(store, split)
    if leak is None:
        return
    warnings.warn(
        f"choosing models on the {split} split of {store.name}: {leak}, so what scores best there "
        "has not shown that it "
        "generalises; hold out part of train instead: hold_out=0.1 of TrainDataLoader",
        LeakyValidationWarning,
        stacklevel=stacklevel,
    )


def _number(triples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give equal triples equal numbers: ``Int["n 3"]`` to ``Int["n"]``."""
    order = np.lexsort(triples.T)
    ordered = triples[order]
    first = np.ones(len(triples), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    numbers = np.empty(len(triples), dtype=np.int64)
    numbers[order] = np.cumsum(first)
    return numbers


def seen_entities(store: TripleStore) -> NDArray[np.bool_]:
    """Return Bool["entities"]: whether some train triple has the entity."""
    seen = np.zeros(store.entity_count, bool)
    seen[store.triples("train")[:, [0, 2]]] = True
    return seen
