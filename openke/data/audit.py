"""What is wrong with a data set, said before a model is trained on it: ``openke audit``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np

from openke.data.audit_report import AuditReport, ConstraintFigures, SplitFigures
from openke.data.datasets import find_dataset
from openke.data.findings import Finding
from openke.data.overlap import (
    LEAKY,
    LeakyValidationWarning,
    Overlap,
    shared_with,
    split_overlap,
    warn_if_leaky,
)
from openke.data.ranker import TypeConstraint
from openke.data.store import SPLITS, Split, TripleStore
from openke.files import write_text

__all__ = [
    "AuditReport",
    "Finding",
    "LeakyValidationWarning",
    "Overlap",
    "audit",
    "command",
    "split_overlap",
    "warn_if_leaky",
]

# Callables (store, folder) -> findings that know what lies in a folder of features; the layer that
# has the features registers them.
FEATURE_CHECKS = "openke.audit"

_REPEATS: dict[Split, tuple[Split, ...]] = {"valid": ("train", "test"), "test": ("train",)}


def audit(
    store: TripleStore | str | os.PathLike[str],
    *,
    features: str | os.PathLike[str] | None = None,
) -> AuditReport:
    """Count what is in a data set and find what makes results on it mean less than they seem to.

    Parameters
    ----------
    store
        An open store, or a folder in OpenKE's format.
    features
        A folder of features to check against the entities.

    Raises
    ------
    FileNotFoundError, ValueError
        The folder, one of its files, or ``features`` cannot be read.
    """
    if not isinstance(store, TripleStore):
        store = TripleStore.open(store)
    splits = tuple(_split_figures(store, split) for split in SPLITS)
    unused_entities, unused_relations = _unused(store)
    findings = [
        *_empty(splits),
        *_repeated(store),
        *_duplicates(splits),
        *_unseen(splits),
        *_unused_ids(unused_entities, unused_relations),
        *_unnamed(store),
    ]
    constraint, constraint_findings = _constraint(store)
    findings += constraint_findings
    if features is not None:
        findings += _features(store, Path(features))
    return AuditReport(
        dataset=store.name,
        directory=store.directory,
        entities=store.entity_count,
        relations=store.relation_count,
        entities_named=store.entity_names is not None,
        relations_named=store.relation_names is not None,
        unused_entities=unused_entities,
        unused_relations=unused_relations,
        splits=splits,
        overlaps=tuple(
            split_overlap(store, split, other)
            for split, others in _REPEATS.items()
            for other in others
        ),
        constraint=constraint,
        findings=tuple(findings),
    )


def command(
    directory: Path,
    /,
    *,
    json: bool = False,
    features: Path | None = None,
    output: Path | None = None,
) -> int:
    """Check a data set: duplicates, leaking splits, unseen entities, types, features.

    The exit status is 0 when nothing is wrong, 1 when something is, 2 when it cannot be read.

    Parameters
    ----------
    directory
        A folder in OpenKE's format, or the name of a known data set.
    json
        Write JSON instead of text.
    features
        A folder of features to check too.
    output
        Write the report to this file instead of the terminal.
    """
    is_name = directory.name == str(directory) and not directory.exists()
    report = audit(find_dataset(str(directory)) if is_name else directory, features=features)
    text = report.to_json() + "\n" if json else report.to_text()
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)
    return 0 if report.ok else 1


def _split_figures(store: TripleStore, split: Split) -> SplitFigures:
    triples = store.triples(split)
    train = store.triples("train")
    rows = store.multiplicity(split)
    new_entity = ~np.isin(triples[:, [0, 2]], train[:, [0, 2]])  # [n, 2]
    new_relation = ~np.isin(triples[:, 1], train[:, 1])  # [n]
    return SplitFigures(
        split=split,
        rows=store.rows(split),
        triples=len(triples),
        entity_range=_range(triples[:, [0, 2]]),
        relation_range=_range(triples[:, 1]),
        unseen_entities=len(np.unique(triples[:, [0, 2]][new_entity])),
        unseen_entity_rows=int(rows[new_entity.any(axis=1)].sum()),
        unseen_relations=len(np.unique(triples[:, 1][new_relation])),
        unseen_relation_rows=int(rows[new_relation].sum()),
    )


def _range(ids: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> tuple[int, int] | None:
    return (int(ids.min()), int(ids.max())) if ids.size else None


def _unused(store: TripleStore) -> tuple[int, int]:
    triples = np.concatenate([store.triples(split) for split in SPLITS])
    entities = store.entity_count - len(np.unique(triples[:, [0, 2]]))
    return entities, store.relation_count - len(np.unique(triples[:, 1]))


def _empty(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
    for split in splits:
        if not split.rows:
            yield Finding("warning", split.split, "the split is empty")


def _repeated(store: TripleStore) -> Iterator[Finding]:
    """Find valid and test triples that another split has too."""
    for split, others in _REPEATS.items():
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


def _duplicates(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
    for split in splits:
        if split.duplicates:
            yield Finding(
                "warning",
                split.split,
                f"{split.duplicates:,} of {split.rows:,} rows repeat an earlier row; each distinct "
                "triple is used once",
                {"duplicates": split.duplicates, "rows": split.rows},
            )


def _unseen(splits: Iterable[SplitFigures]) -> Iterator[Finding]:
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


def _unused_ids(entities: int, relations: int) -> Iterator[Finding]:
    for what, count in (("entities", entities), ("relations", relations)):
        if count:
            yield Finding("note", what, f"{count:,} are in no triple", {"unused": count})


def _unnamed(store: TripleStore) -> Iterator[Finding]:
    if store.entity_names is None:
        yield Finding(
            "note", "entities", "they have no names, so features cannot be matched to them by name"
        )
    if store.relation_names is None:
        yield Finding("note", "relations", "they have no names")


def _constraint(store: TripleStore) -> tuple[ConstraintFigures | None, list[Finding]]:
    """Count answers that the type constraint of the evaluation does not admit."""
    path = None if store.directory is None else store.directory / "type_constrain.txt"
    if path is not None and path.is_file():
        try:
            constraint = TypeConstraint.read(store)
        except ValueError as error:
            return None, [Finding("error", path.name, str(error))]
        source = path.name
    else:
        constraint, source = TypeConstraint.from_store(store), "train"
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
    if figures.source == "train":
        yield Finding(
            "note",
            "type constraint",
            "there is no type_constrain.txt; type-constrained ranks admit what the train triples "
            "show of each relation",
        )
    for split, by_slot in figures.excluded.items():
        if any(by_slot.values()):
            yield Finding(
                "warning",
                "type constraint",
                f"{figures.source} does not admit the head of {by_slot['head']:,} rows of {split} "
                f"and the tail of {by_slot['tail']:,}; type-constrained ranks compare these answers "
                "with candidates of another kind",
                {"split": split, **by_slot},
            )


def _features(store: TripleStore, folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder, expected one of features")
    checks = entry_points(group=FEATURE_CHECKS)
    if not checks:
        raise ValueError(
            f"{folder}: nothing installed can check features; install this package with "
            "lbmkgc_models, which registers a check"
        )
    for check in checks:
        check_folder: Callable[[TripleStore, Path], Iterable[Finding]] = check.load()
        yield from check_folder(store, folder)
