"""Which query meets which candidate: listed pairs, or everyone with everyone.

Shapes: q queries, c candidates, d reals of a vector, p pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from openke import kernels
from openke.kernels import Kind


class Compare(Protocol):
    """Compares queries with candidates; which with which is bound inside."""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return similarities; higher is closer (see :mod:`openke.kernels`)."""

    def total(self, kind: Kind, queries: Sequence[Tensor], table: Tensor) -> Tensor:
        """Return the sum of the similarities of several vectors of each query (Float["q d"] each).

        It costs less than calls for each: see ``vectors`` of :func:`.compare_pairs`.
        """

    def meet(self, query: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """Return what belongs to the query and to the candidate of each score.

        ``query`` is Any["q"] and ``candidate`` Any["c"], such as ids. What comes back broadcasts to
        the shape of the scores, so that ``a[known, other]`` has a number for each.
        """


@dataclass(frozen=True, eq=False)
class Pairwise:
    """The comparison of listed pairs: Float["p"]."""

    query_index: Tensor
    """Int["p"]"""
    candidate_index: Tensor
    """Int["p"]"""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return the similarity of each pair."""
        return kernels.compare_pairs(
            kind, query, table, self.query_index, self.candidate_index, modal=modal, gate=gate
        )

    def total(self, kind: Kind, queries: Sequence[Tensor], table: Tensor) -> Tensor:
        """Return the sum of the similarities of each pair."""
        if len(queries) == 1:
            return self(kind, queries[0], table)
        return kernels.compare_pairs(
            kind,
            torch.cat(list(queries)),
            table,
            self.query_index,
            self.candidate_index,
            vectors=len(queries),
        )

    def meet(self, query: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """Return Any["p"] of each."""
        return query[self.query_index], candidate[self.candidate_index]


@dataclass(frozen=True, eq=False)
class AllPairs:
    """The comparison of every query with every candidate: Float["q c"]."""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return the similarity of each query and candidate."""
        return kernels.compare_all(kind, query, table, modal=modal, gate=gate)

    def total(self, kind: Kind, queries: Sequence[Tensor], table: Tensor) -> Tensor:
        """Return the sum of the similarities of each query and candidate."""
        return _added(self, kind, queries, table)

    def meet(self, query: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """Return Any["q 1"] and Any["1 c"]."""
        return query[:, None], candidate[None]


ALL_PAIRS = AllPairs()


@dataclass(frozen=True, eq=False)
class Blended:
    """A comparison whose candidates are gate * table + (1 - gate) * modal, never written out."""

    compare: Compare
    modal: Tensor
    """Float["c d"]"""
    gate: Tensor
    """Float["q"]"""

    def __call__(
        self,
        kind: Kind,
        query: Tensor,
        table: Tensor,
        *,
        modal: Tensor | None = None,
        gate: Tensor | None = None,
    ) -> Tensor:
        """Return similarities with the blend; there cannot be another one inside."""
        assert modal is None
        assert gate is None
        return self.compare(kind, query, table, modal=self.modal, gate=self.gate)

    def total(self, kind: Kind, queries: Sequence[Tensor], table: Tensor) -> Tensor:
        """Return the sum of similarities with the blend."""
        return _added(self, kind, queries, table)

    def meet(self, query: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the inner comparison does."""
        return self.compare.meet(query, candidate)


def _added(compare: Compare, kind: Kind, queries: Sequence[Tensor], table: Tensor) -> Tensor:
    first, *others = (compare(kind, query, table) for query in queries)
    return sum(others, start=first)
