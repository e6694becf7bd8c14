"""Whether the type constraint of an evaluation admits the right answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from openke.data.audit_report import ConstraintFigures
from openke.data.findings import Finding
from openke.data.ranker import FILE, TypeConstraint
from openke.data.store import Split, TripleStore


def constraint_figures(store: TripleStore) -> tuple[ConstraintFigures | None, list[Finding]]:
    """Count answers that the type constraint of the evaluation does not admit."""
    try:
        constraint = TypeConstraint.of(store)
    except ValueError as error:
        return None, [Finding("error", FILE, str(error))]
    source = Path(constraint.source).name
    measured: tuple[Split, ...] = ("valid", "test")
    excluded = {str(split): _excluded(store, split, constraint) for split in measured}
    figures = ConstraintFigures(source=source, excluded=excluded)
    return figures, list(_constraint_findings(figures))


def _excluded(store: TripleStore, split: Split, constraint: TypeConstraint) -> dict[str, int]:
    """Return for head and tail how many rows of a split hold one that is not admitted."""
    triples = store.triples(split)
    admitted = np.zeros((len(triples), 2), dtype=bool)
    for relation in np.unique(triples[:, 1]):
        of_relation = triples[:, 1] == relation
        heads = constraint.allowed("head", int(relation))
        tails = constraint.allowed("tail", int(relation))
        admitted[of_relation, 0] = np.isin(triples[of_relation, 0], heads)
        admitted[of_relation, 1] = np.isin(triples[of_relation, 2], tails)
    head, tail = store.multiplicity(split) @ ~admitted
    return {"head": int(head), "tail": int(tail)}


def _constraint_findings(figures: ConstraintFigures) -> Iterator[Finding]:
    if figures.source != FILE:
        yield Finding(
            "note",
            "type constraint",
            f"there is no {FILE}; type-constrained ranks admit what the splits "
            f"({figures.source}) show of each relation, which is how the lineage makes that file",
        )
    for split, by_slot in figures.excluded.items():
        if any(by_slot.values()):
            yield Finding(
                "warning",
                "type constraint",
                f"{figures.source} does not admit the head of {by_slot['head']:,} rows of {split} "
                f"and the tail of {by_slot['tail']:,}; type-constrained ranks compare these "
                "answers with candidates of another kind",
                {"split": split, **by_slot},
            )
