"""What is wrong with a data set, said before a model is trained on it: ``openke audit``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openke.audit import checks
from openke.audit.constraint import constraint_figures
from openke.audit.finding import Finding
from openke.audit.mirrors import mirrored
from openke.audit.report import AuditReport, SplitFigures
from openke.data.overlap import (
    LeakyValidationWarning,
    Overlap,
    seen_entities,
    split_overlap,
    warn_if_leaky,
)
from openke.data.store import SPLITS, Split, TripleStore
from openke.datasets.search import find_dataset
from openke.runtime.files import write_text

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
        *checks.empty(splits),
        *checks.repeated(store),
        *checks.duplicates(splits),
        *checks.unseen(splits),
        *mirrored(store),
        *checks.unused(unused_entities, unused_relations),
        *checks.unnamed(store),
    ]
    constraint, constraint_findings = constraint_figures(store)
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
            for split, others in checks.COMPARED.items()
            for other in others
        ),
        constraint=constraint,
        findings=tuple(findings),
    )


def command(
    dataset: str,
    /,
    *,
    json: bool = False,
    features: Path | None = None,
    output: Path | None = None,
    strict: bool = False,
) -> int:
    """Check a data set: duplicates, leaking splits, unseen entities, types, features.

    The exit status is 0 without errors (with --strict: without errors and warnings), 1 with some,
    2 when the data set cannot be read. For example::

        openke audit DB15K

    Parameters
    ----------
    dataset
        A folder in OpenKE's format, or the name of a known data set.
    json
        Write JSON instead of text.
    features
        A folder of features to check too.
    output
        Write the report to this file instead of the terminal.
    strict
        Let warnings count as errors in the exit status.
    """
    is_name = Path(dataset).name == dataset and not Path(dataset).exists()
    report = audit(find_dataset(dataset) if is_name else Path(dataset), features=features)
    text = report.to_json() + "\n" if json else report.to_text()
    if output is None:
        print(text, end="")
    else:
        write_text(output, text)
    wrong = ("error", "warning") if strict else ("error",)
    return 1 if any(finding.severity in wrong for finding in report.findings) else 0


def _split_figures(store: TripleStore, split: Split) -> SplitFigures:
    triples = store.triples(split)
    train = store.triples("train")
    rows = store.multiplicity(split)
    new_entity = ~seen_entities(store)[triples[:, [0, 2]]]  # [n, 2]
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


def _range(ids: NDArray[np.int64]) -> tuple[int, int] | None:
    return (int(ids.min()), int(ids.max())) if ids.size else None


def _unused(store: TripleStore) -> tuple[int, int]:
    triples = np.concatenate([store.triples(split) for split in SPLITS])
    entities = store.entity_count - len(np.unique(triples[:, [0, 2]]))
    return entities, store.relation_count - len(np.unique(triples[:, 1]))


def _features(store: TripleStore, folder: Path) -> Iterator[Finding]:
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder, expected one of features")
    registered = entry_points(group=FEATURE_CHECKS)
    if not registered:
        raise ValueError(
            f"{folder}: nothing installed can check features; install this package with "
            "lbmkgc_models, which registers a check"
        )
    for entry in registered:
        check: Callable[[TripleStore, Path], Iterable[Finding]] = entry.load()
        yield from check(store, folder)
