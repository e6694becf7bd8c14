"""Whether the type constraint of an evaluation admits the right answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from openke.audit.finding import Finding
from openke.audit.report import ConstraintFigures
from openke.data.store import Split, TripleStore
from openke.data.type_constraint import FILE, TypeConstraint

TOLERATED = 0.01  # share of a split's rows a file may exclude before ranks mean something else


def constraint_figures(store: TripleStore) -> tuple[ConstraintFigures | None, list[Finding]]:
    """Count answers that the data set's type constraint, or what train shows, does not admit."""
    try:
        constraint = TypeConstraint.of(store)
    except ValueError as error:
        return None, [Finding("error", FILE, str(error))]
    source = Path(constraint.source).name
    if source != FILE:
        # That of all splits admits every answer: there would be nothing to count.
        constraint, source = TypeConstraint.from_store(store, ("train",)), "train"
    measured: tuple[Split, ...] = ("valid", "test")
    excluded = {str(split): _excluded(store, split, constraint) for split in measured}
    figures = ConstraintFigures(source=source, excluded=excluded)
    rows = {str(split): store.rows(split) for split in measured}
    findings = _of_file(figures, rows) if source == FILE else [_of_train(figures, rows)]
    return figures, list(findings)


def _excluded(store: TripleStore, split: Split, constraint: TypeConstraint) -> dict[str, int]:
    """Return how many rows of a split hold a head, a tail, or either that is not admitted."""
    triples = store.triples(split)
    admitted = np.zeros((len(triples), 2), dtype=bool)
    for relation in np.unique(triples[:, 1]):
        of_relation = triples[:, 1] == relation
        heads = constraint.allowed("head", int(relation))
        tails = constraint.allowed("tail", int(relation))
        admitted[of_relation, 0] = np.isin(triples[of_relation, 0], heads)
        admitted[of_relation, 1] = np.isin(triples[of_relation, 2], tails)
    counts = store.multiplicity(split)
    head, tail = counts @ ~admitted
    return {"head": int(head), "tail": int(tail), "either": int(counts @ ~admitted.all(axis=1))}


def _of_train(figures: ConstraintFigures, rows: dict[str, int]) -> Finding:
    parts = ", ".join(
        f"{by_slot['either']:,} of {rows[split]:,} rows of {split}"
        for split, by_slot in figures.excluded.items()
    )
    return Finding(
        "note",
        "type constraint",
        f"there is no {FILE}; evaluations derive the constraint from all splits, as OpenKE's "
        "n-n.py makes that file, and so admit every answer; what train alone shows would exclude "
        f"{parts}",
        {
            f"{split}_{slot}": count
            for split, by_slot in figures.excluded.items()
            for slot, count in by_slot.items()
        },
    )


def _of_file(figures: ConstraintFigures, rows: dict[str, int]) -> Iterator[Finding]:
    for split, by_slot in figures.excluded.items():
        if by_slot["either"]:
            yield Finding(
                "error" if by_slot["either"] > TOLERATED * rows[split] else "warning",
                "type constraint",
                f"{figures.source} does not admit the head of {by_slot['head']:,} of "
                f"{rows[split]:,} rows of {split} and the tail of {by_slot['tail']:,}; "
                "type-constrained ranks compare these answers with candidates of another kind: "
                "make the file again, or remove it, and evaluations derive the constraint from "
                "all splits",
                {"split": split, "rows": rows[split], **by_slot},
            )
