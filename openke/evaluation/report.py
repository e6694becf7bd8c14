"""Ranks as a value: metrics under a named tie policy, by side, relation and category."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from tabulate import tabulate

from openke.runtime.files import write_text

Policy = Literal["realistic", "optimistic", "pessimistic"]
POLICIES: tuple[Policy, ...] = ("realistic", "optimistic", "pessimistic")
SIDES = ("both", "head", "tail")
HITS = (1, 3, 10)
COLUMNS = ("MRR", "Hits@1", "Hits@3", "Hits@10", "MR", "queries")

Metrics = dict[str, float]


def ranks(
    greater: NDArray[np.int64], equal: NDArray[np.int64], policy: Policy = "realistic"
) -> NDArray[np.float64]:
    """Return ranks from 1 on: Float["n"].

    Optimistic ranks put the answer before the candidates that tie with it, pessimistic ones behind
    them, realistic ones in their middle: 1 + greater + equal / 2. A constant score gets the rank
    of guessing, not the first.
    """
    share = {"realistic": 0.5, "optimistic": 0.0, "pessimistic": 1.0}[policy]
    return 1.0 + greater + share * equal


def metrics(values: NDArray[np.float64]) -> Metrics:
    """Return mrr, mr and hits@k of at least one rank, in double precision."""
    found = {"mrr": float(np.mean(1.0 / values)), "mr": float(np.mean(values))}
    found.update({f"hits@{k}": float(np.mean(values <= k)) for k in HITS})
    return found


def adjusted_metrics(values: NDArray[np.float64], candidates: NDArray[np.int64]) -> Metrics:
    """Return amr and amri: the mean rank in proportion to what guessing would give.

    With n candidates guessing has the expected rank (n + 1) / 2. Over all queries::

        amr  = mean rank / mean expected rank
        amri = 1 - (mean rank - 1) / (mean expected rank - 1)

    ``amr`` is 1 for guessing, lower is better. ``amri`` is 1 where every answer is first, 0 for
    guessing, -1 at worst; 0 where there is nothing to guess. Both compare data sets of different
    sizes. Berrendorf et al., "On the Ambiguity of Rank-Based Evaluation of Entity Alignment or Link
    Prediction Methods", 2020; as PyKEEN has them.

    Parameters
    ----------
    values : Float["n"]
        Ranks, at least one.
    candidates : Int["n"]
        How many candidates each was ranked among, the answer included.
    """
    mean, expected = float(np.mean(values)), float(np.mean(candidates) + 1) / 2
    index = 1 - (mean - 1) / (expected - 1) if expected > 1 else 0.0
    return {"amr": mean / expected, "amri": index}


@dataclass(frozen=True, kw_only=True)
class RankingReport:
    """The ranks of a model on a split and what they mean.

    Each query is one row: (?, r, t) rows have side "head", (h, r, ?) rows "tail"; a report of
    relation prediction has (h, ?, t) rows only, of side "relation".
    """

    model: str
    dataset: str
    split: str
    filtered: bool
    type_constrained: bool
    side: NDArray[np.str_]
    relation: NDArray[np.int64]
    greater: NDArray[np.int64]
    equal: NDArray[np.int64]
    relation_category: NDArray[np.str_]
    candidates: NDArray[np.int64] | None = None
    """Of each query, how many candidates it was ranked among, the answer included."""
    relation_kind: NDArray[np.str_] | None = None
    """Of each relation, where the data set tells kinds apart."""
    relation_names: Sequence[str] | None = None
    """Of each relation, where the data set has names."""
    relation_labels: Sequence[str | None] | None = None
    """Of each relation what people call it, None where it has no label."""
    unseen: NDArray[np.bool_] | None = None
    """Of each query, whether its triple holds an entity that no train triple has."""
    seconds: float = 0.0
    seed: int | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an empty report: its means would not be numbers."""
        if not len(self.side):
            raise ValueError(f"no triple of {self.dataset} {self.split} was ranked")

    @property
    def sides(self) -> tuple[str, ...]:
        """What :meth:`metrics` can be asked for: "both", "head", "tail"; or "relation"."""
        return ("relation",) if "relation" in self.side else SIDES

    def metrics(self, side: str = "both", policy: Policy = "realistic") -> Metrics:
        """Return mrr, mr (mean rank) and hits@1, 3, 10 of one side under one tie policy."""
        chosen = self._is(side)
        return metrics(ranks(self.greater[chosen], self.equal[chosen], policy))

    def adjusted(self, side: str = "both", policy: Policy = "realistic") -> Metrics:
        """Return amr and amri of one side, see :func:`adjusted_metrics`.

        Raises
        ------
        ValueError
            The report does not know how many candidates there were.
        """
        if self.candidates is None:
            raise ValueError(
                "adjusted metrics need the number of candidates of each query, which this report "
                "has not; give it as candidates"
            )
        chosen = self._is(side)
        values = ranks(self.greater[chosen], self.equal[chosen], policy)
        return adjusted_metrics(values, self.candidates[chosen])

    def where(self, chosen: NDArray[np.bool_]) -> RankingReport:
        """Return the report of the chosen queries alone (Bool["n"])."""
        return replace(
            self,
            side=self.side[chosen],
            relation=self.relation[chosen],
            greater=self.greater[chosen],
            equal=self.equal[chosen],
            candidates=None if self.candidates is None else self.candidates[chosen],
            unseen=None if self.unseen is None else self.unseen[chosen],
        )

    def by_relation(self, policy: Policy = "realistic") -> dict[int, Metrics]:
        """Return the metrics of each relation that occurs, with its count, by its id."""
        return self._grouped(self.relation, policy)

    def by_category(self, policy: Policy = "realistic") -> dict[str, dict[str, Metrics]]:
        """Return the metrics of each side and relation category that occurs."""
        category = self.relation_category[self.relation]
        return {side: self._grouped(category, policy, self._is(side)) for side in self.sides}

    def by_kind(self, policy: Policy = "realistic") -> dict[str, dict[str, Metrics]]:
        """Return the metrics of each side and kind of relations; empty without kinds."""
        if self.relation_kind is None:
            return {}
        kind = self.relation_kind[self.relation]
        return {side: self._grouped(kind, policy, self._is(side)) for side in self.sides}

    def by_seen(self, policy: Policy = "realistic") -> dict[str, dict[str, Metrics]]:
        """Return the metrics of each side, "seen" and "unseen" entities apart."""
        if self.unseen is None:
            return {}
        seen = np.where(self.unseen, "unseen", "seen")
        return {side: self._grouped(seen, policy, self._is(side)) for side in self.sides}

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values; nothing in it is NaN."""
        return {
            "model": self.model,
            "dataset": self.dataset,
            "split": self.split,
            "filtered": self.filtered,
            "type_constrained": self.type_constrained,
            "seed": self.seed,
            "settings": self.settings,
            "seconds": round(self.seconds, 3),
            "metrics": {
                side: {
                    **{policy: self._both(side, policy) for policy in POLICIES},
                    "count": int(self._is(side).sum()),
                }
                for side in self.sides
            },
            "by_category": self.by_category(),
            "by_kind": self.by_kind(),
            "by_seen": self.by_seen(),
            "by_relation": self._by_relation_name(),
        }

    def write_json(self, path: Path) -> None:
        """Write :meth:`to_dict`."""
        write_text(path, json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n")

    def to_text(self, policy: Policy = "realistic") -> str:
        """Return a table for a terminal."""
        return f"{self._title(policy)}\n{self._table('simple', policy)}"

    def to_markdown(self, policy: Policy = "realistic") -> str:
        """Return a table for a document."""
        return f"**{self._title(policy)}**\n\n{self._table('github', policy)}"

    def relations_to_text(self, policy: Policy = "realistic") -> str:
        """Return a table of each relation for a terminal, the most frequent first."""
        rows = [
            [found.get("label") or name, *_row(found), int(found["count"])]
            for name, found in self._by_relation_name(policy).items()
        ]
        return _tabulated(["relation", *COLUMNS], rows, "simple")

    def _both(self, side: str, policy: Policy) -> Metrics:
        """Return metrics, the adjusted ones too where these can be had."""
        more = {} if self.candidates is None else self.adjusted(side, policy)
        return {**self.metrics(side, policy), **more}

    def _is(self, side: str) -> NDArray[np.bool_]:
        if side not in ("both", *self.sides):
            raise ValueError(f"found the side {side!r}, expected one of {', '.join(self.sides)}")
        return np.full(len(self.side), True) if side == "both" else self.side == side

    def _grouped(
        self, keys: NDArray[Any], policy: Policy, chosen: NDArray[np.bool_] | None = None
    ) -> dict[Any, Metrics]:
        values = ranks(self.greater, self.equal, policy)
        if chosen is not None:
            keys, values = keys[chosen], values[chosen]
        return {
            key.item(): {**metrics(values[keys == key]), "count": int((keys == key).sum())}
            for key in np.unique(keys)
        }

    def _by_relation_name(self, policy: Policy = "realistic") -> dict[str, dict[str, Any]]:
        """Return the metrics of each relation, the most frequent first, and its label beside."""
        found = self.by_relation(policy)
        names, labels = self.relation_names, self.relation_labels
        return {
            str(relation) if names is None else names[relation]: {
                **({"label": labels[relation]} if labels and labels[relation] else {}),
                **found[relation],
            }
            for relation in sorted(
                found, key=lambda relation: (-found[relation]["count"], relation)
            )
        }

    def _title(self, policy: Policy) -> str:
        kind = "relations, " if "relation" in self.sides else ""
        kind += "filtered" if self.filtered else "raw"
        constrained = ", type-constrained" if self.type_constrained else ""
        return f"{self.model} on {self.dataset} {self.split} ({kind}{constrained}, {policy} ranks)"

    def _table(self, style: str, policy: Policy) -> str:
        rows: list[list[Any]] = []
        for side in self.sides:
            found = self.metrics(side, policy=policy)
            rows.append([side, *_row(found), int(self._is(side).sum())])
        groups = [self.by_category(policy), self.by_kind(policy)]
        if self.unseen is not None and self.unseen.any():
            groups.append(self.by_seen(policy))
        for group in groups:
            for name, found in group.get(self.sides[0], {}).items():
                rows.append([name, *_row(found), int(found["count"])])
        return _tabulated(["", *COLUMNS], rows, style)


def _row(found: Metrics) -> list[str]:
    percent = [f"{100 * found[name]:.2f}" for name in ("mrr", "hits@1", "hits@3", "hits@10")]
    return [*percent, f"{found['mr']:.1f}" if math.isfinite(found["mr"]) else "-"]


def _tabulated(header: list[str], rows: list[list[Any]], style: str) -> str:
    return tabulate(rows, header, tablefmt=style, disable_numparse=True, stralign="right")
