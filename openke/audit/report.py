"""The value an audit returns: counts of a data set and findings, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tabulate import tabulate

from openke.audit.finding import SEVERITIES, Finding
from openke.data.overlap import Overlap
from openke.runtime.json_text import read_json


@dataclass(frozen=True, kw_only=True)
class SplitFigures:
    """Counts of a split; a range is (lowest id, highest id), ``None`` in an empty split.

    ``unseen_*`` counts ids that no train triple has, ``*_rows`` the rows that hold such an id.
    """

    split: str
    rows: int
    triples: int
    entity_range: tuple[int, int] | None
    relation_range: tuple[int, int] | None
    unseen_entities: int
    unseen_entity_rows: int
    unseen_relations: int
    unseen_relation_rows: int

    @property
    def duplicates(self) -> int:
        """Rows that repeat an earlier row of the split."""
        return self.rows - self.triples


@dataclass(frozen=True, kw_only=True)
class ConstraintFigures:
    """Rows of valid and test whose head or tail a type constraint does not admit.

    ``source`` is the file the constraint was read from. Without a file it is ``"train"``: what the
    train triples alone show. Evaluations then derive the constraint from all splits, and that one
    admits every answer. ``excluded`` maps split to ``head``, ``tail`` and ``either`` to rows.
    """

    source: str
    excluded: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """What :func:`.audit` found."""

    dataset: str
    directory: Path | None
    entities: int
    relations: int
    entities_named: bool
    relations_named: bool
    unused_entities: int
    unused_relations: int
    splits: tuple[SplitFigures, ...]
    overlaps: tuple[Overlap, ...]
    constraint: ConstraintFigures | None
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return not any(finding.severity == "error" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as the values that JSON knows."""
        values: dict[str, Any] = read_json(self.to_json())
        return values

    def to_json(self) -> str:
        """Return everything as indented JSON."""
        values = {
            **asdict(self),
            "directory": None if self.directory is None else str(self.directory),
            "splits": [{**asdict(s), "duplicates": s.duplicates} for s in self.splits],
            "ok": self.ok,
        }
        return json.dumps(values, indent=2, ensure_ascii=False)

    def to_text(self) -> str:
        """Return tables of the counts, then the findings, the worst first."""
        place = "" if self.directory is None else f" ({self.directory})"
        parts = [
            f"{self.dataset}{place}: {self.entities:,} entities, {self.relations:,} relations",
            self._split_table(),
            self._overlap_table(),
        ]
        if self.constraint is not None:
            parts.append(self._constraint_table(self.constraint))
        ordered = sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))
        parts.append(
            "\n".join(
                f"{finding.severity}: {finding.subject}: {finding.message}" for finding in ordered
            )
        )
        parts.append(self._verdict())
        return "\n\n".join(filter(None, parts)) + "\n"

    def _split_table(self) -> str:
        header = ("split", "rows", "distinct", "repeated", "entity ids", "relation ids")
        unseen = ("unseen entities", "in rows", "unseen relations", "in rows")
        rows = [
            (
                s.split,
                s.rows,
                s.triples,
                s.duplicates,
                _range(s.entity_range),
                _range(s.relation_range),
                s.unseen_entities,
                s.unseen_entity_rows,
                s.unseen_relations,
                s.unseen_relation_rows,
            )
            for s in self.splits
        ]
        return _table(rows, (*header, *unseen))

    def _overlap_table(self) -> str:
        rows = [(o.of, o.within, o.rows_shared, o.triples_shared) for o in self.overlaps]
        return _table(rows, ("of", "also in", "rows", "distinct"))

    def _constraint_table(self, constraint: ConstraintFigures) -> str:
        rows = [
            (split, by["head"], by["tail"], by["either"])
            for split, by in constraint.excluded.items()
        ]
        title = f"Answers outside the type constraint of {constraint.source}, in rows"
        return f"{title}\n{_table(rows, ('split', 'head', 'tail', 'either'))}"

    def _verdict(self) -> str:
        counts = {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}
        return ", ".join(f"{n} {s}{'' if n == 1 else 's'}" for s, n in counts.items())


def _range(ids: tuple[int, int] | None) -> str:
    return "-" if ids is None else f"{ids[0]} to {ids[1]}"


def _table(rows: Sequence[tuple[str | int, ...]], header: tuple[str, ...]) -> str:
    text = [tuple(f"{v:,}" if isinstance(v, int) else v for v in row) for row in rows]
    align = tuple("right" if isinstance(v, int) else "left" for v in rows[0]) if rows else None
    return tabulate(text, header, disable_numparse=True, colalign=align)
