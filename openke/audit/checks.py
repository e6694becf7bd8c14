"""The checks of an audit that look at triples and names alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from openke.audit.finding import Finding
from openke.audit.report import SplitFigures
from openke.data.overlap import LEAKY, shared_with
from openke.data.store import Split, TripleStore

# Which other splits must not hold a split's triples.
COMPARED: dict[Split, tuple[Split, ...]] = {"valid": ("train", "test"), "test": ("train",)}


def empty(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
    """Find splits without rows."""
    for split in splits:
        if not split.rows:
            yield Finding("warning", split.split, "the split is empty")


def repeated(store: TripleStore) -> Iterator[Finding]:
    """Find valid and test triples that another split has too."""
    for split, others in COMPARED.items():
        shared = shared_with(store, split, others)
        counts = store.multiplicity(split)
        anywhere = np.logical_or.reduce(list(shared.values()))
        if not anywhere.any():
            continue
        figures = {"rows": store.rows(split), "triples": len(counts)}
        for other, mask in shared.items():
            figures[f"triples_in_{other}"] = int(mask.sum())
            figures[f"rows_in_{other}"] = int(counts[mask].sum())
        figures["triples_new"] = int((~anywhere).sum())
        yield _repetition(split, others, figures, int(counts[anywhere].sum()))


def _repetition(
    split: Split, others: tuple[Split, ...], figures: dict[str, int], leaked: int
) -> Finding:
    parts = ", ".join(
        f"{figures[f'triples_in_{other}']:,} in {other} ({figures[f'rows_in_{other}']:,} rows)"
        for other in others
    )
    what = (
        f"{figures['rows']:,} rows hold {figures['triples']:,} distinct triples: {parts}, "
        f"{figures['triples_new']:,} new"
    )
    if split == "valid":
        way_out = (
            "choosing models on it is choosing on those splits; hold out part of train instead: "
            "hold_out=0.1 of TrainDataLoader, or TripleStore.hold_out(0.1)"
        )
    else:
        way_out = (
            "a model has been shown those answers in training; say so beside its figures, or drop "
            "those triples from train"
        )
    error = leaked > LEAKY * figures["rows"]
    return Finding("error" if error else "warning", split, f"{what}; {way_out}", figures)


def duplicates(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
    """Find splits whose rows repeat."""
    for split in splits:
        if split.duplicates:
            yield Finding(
                "warning",
                split.split,
                f"{split.duplicates:,} of {split.rows:,} rows repeat an earlier row; each distinct "
                "triple is used once",
                {"duplicates": split.duplicates, "rows": split.rows},
            )


def unseen(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
    """Find splits with entities or relations that no train triple has."""
    for split in splits:
        for what, ids, rows in (
            ("entities", split.unseen_entities, split.unseen_entity_rows),
            ("relations", split.unseen_relations, split.unseen_relation_rows),
        ):
            if ids:
                yield Finding(
                    "warning",
                    split.split,
                    f"{rows:,} of {split.rows:,} rows hold one of {ids:,} {what} that no train "
                    "triple has; a model without features knows nothing of them",
                    {f"unseen_{what}": ids, "rows": rows},
                )


def unused(entities: int, relations: int) -> Iterator[Finding]:
    """Find ids that are in no triple, given how many there are."""
    for what, count in (("entities", entities), ("relations", relations)):
        if count:
            yield Finding("note", what, f"{count:,} are in no triple", {"unused": count})


def unnamed(store: TripleStore) -> Iterator[Finding]:
    """Find files that hold a count instead of names."""
    if store.entity_names is None:
        yield Finding(
            "note", "entities", "they have no names, so features cannot be matched to them by name"
        )
    if store.relation_names is None:
        yield Finding("note", "relations", "they have no names")
