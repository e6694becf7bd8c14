"""Queries (h, r, ?) and (?, r, t) of the train split with their answers, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from openke.data.batch import HEAD, RELATION, TAIL
from openke.data.frequency import answer_weights as frequencies
from openke.data.loader import (
    WHOLE,
    Change,
    Shard,
    ahead,
    producers,
    shard_of,
    unchanged,
    weighed_shard,
)
from openke.data.options import check_one_of, check_seed
from openke.data.query_batch import QueryBatch
from openke.data.store import TripleSource, open_store

Targets = Literal["one", "all"]
TARGETS: tuple[Targets, ...] = ("one", "all")
AnswerWeights = Literal["even", "frequency"]
ANSWER_WEIGHTS: tuple[AnswerWeights, ...] = ("even", "frequency")


class QueryDataLoader:
    """Batches of train queries; the same seed gives the same batches.

    Parameters
    ----------
    in_path
        A folder in OpenKE's format, or an open :class:`.TripleStore`.
    batch_size
        Queries in a batch.
    targets
        ``"one"``: each train triple asks (h, r, ?) and (?, r, t), each with the one answer;
        ``"all"``: each distinct query is asked once, with all its answers in the train split.
    answer_weights
        ``"even"``: all queries count the same; ``"frequency"``: the more, the more often their
        answer is one, see :func:`.answer_weights`. Only where each query has one answer.
    one_side
        In each epoch a triple asks only one of its two queries, drawn anew.
    seed
        Of the order, which is another in each epoch.
    hold_out
        As of :class:`.TrainDataLoader`.

    Raises
    ------
    ValueError
        Unknown ``targets`` or ``answer_weights``, fewer than one query in a batch; weights, or
        ``one_side``, where queries have several answers.
    FileNotFoundError
        A file that is not there.
    """

    def __init__(
        self,
        in_path: TripleSource,
        batch_size: int = 1000,
        *,
        targets: Targets = "one",
        answer_weights: AnswerWeights = "even",
        one_side: bool = False,
        seed: int = 0,
        hold_out: float = 0.0,
    ) -> None:
        if targets not in TARGETS:
            raise ValueError(f"targets is {targets!r}, expected 'one' or 'all'")
        check_one_of("answer_weights", answer_weights, ANSWER_WEIGHTS)
        if targets == "all" and answer_weights != "even":
            raise ValueError(
                f"answer_weights is {answer_weights!r}, but the queries of k-vs-all training have "
                "several answers each; leave it out, or train by 1vsall"
            )
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}, expected at least 1 query")
        if one_side and targets != "one":
            raise ValueError(
                "one_side hides one side of each triple, but with targets 'all' it is queries that "
                "are asked; leave out the one or the other"
            )
        store = open_store(in_path)
        self.store = store.hold_out(hold_out, seed) if hold_out else store
        self.batch_size = batch_size
        self.targets = targets
        self.answer_weights = answer_weights
        self.one_side = one_side
        self.seed = check_seed(seed)
        self._hold_out = hold_out
        self._change: Change = unchanged
        self._pin = False
        self._shard = WHOLE
        self._queries = _Queries.of(self.store.triples("train"), targets)
        self._weight = None
        if answer_weights == "frequency":
            answer = self._queries.answer
            self._weight = frequencies(answer, self.store.entity_count)[answer]

    @property
    def settings(self) -> dict[str, object]:
        """What decides the batches, as JSON values."""
        # Said only where they are not what they always were: earlier checkpoints have none.
        weights = {} if self.answer_weights == "even" else {"answer_weights": self.answer_weights}
        return {
            **weights,
            "batch_size": self.batch_size,
            "targets": self.targets,
            **({"one_side": True} if self.one_side else {}),
            "seed": self.seed,
            "hold_out": self._hold_out,
        }

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return -(-self._asked // self.batch_size)

    @property
    def _asked(self) -> int:
        """How many queries an epoch asks."""
        count = len(self._queries.anchor)
        return count // 2 if self.one_side else count

    def epoch(self, number: int) -> Iterator[QueryBatch]:
        """Iterate over the batches of epoch ``number``, prepared ahead in the background."""
        generator = np.random.default_rng([self.seed, number])
        order = generator.permutation(self._asked)
        if self.one_side:  # queries about heads stand after all of those about tails
            order += generator.integers(2, size=len(order)) * len(order)

        def prepare(index: int) -> QueryBatch:
            first = index * self.batch_size
            rows = order[first : first + self.batch_size]
            mine, share = shard_of(len(rows), self._shard)
            found = self._queries.batch(rows[mine])
            if self._weight is not None:
                asked = self._queries.sorted(rows[mine])
                _, factor = weighed_shard(self._weight[rows], mine)
                found, share = replace(found, weight=self._weight[asked]), share * factor
            batch: QueryBatch = self._change(replace(found, share=share))
            return batch.pin() if self._pin else batch

        return ahead(prepare, len(self), "queries", producers(self._pin))

    def prepare(self, change: Change = unchanged, *, pin: bool, shard: Shard = WHOLE) -> None:
        """Do in the background what a step would wait for, see :class:`Loader`."""
        self._change, self._pin, self._shard = change, pin, shard


@dataclass(frozen=True)
class _Queries:
    """All queries: those about tails, then those about heads."""

    anchor: NDArray[np.int64]
    relation: NDArray[np.int64]
    tails: int
    answer: NDArray[np.int64]
    offsets: NDArray[np.int64] | None

    @classmethod
    def of(cls, triples: NDArray[np.int64], targets: Targets) -> _Queries:
        """Make them of triples, Int["n 3"]."""
        head, relation, tail = triples[:, HEAD], triples[:, RELATION], triples[:, TAIL]
        n = len(triples)
        anchor, answer = np.concatenate([head, tail]), np.concatenate([tail, head])
        relation = np.concatenate([relation, relation])
        if targets == "one":
            return cls(anchor, relation, n, answer, None)
        about_head = np.arange(2 * n) >= n
        order = np.lexsort((answer, relation, anchor, about_head))
        keys = np.stack([about_head, anchor, relation])[:, order]
        starts = np.flatnonzero(np.r_[True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)])
        at = order[starts]
        tails = int((~about_head[at]).sum())
        return cls(anchor[at], relation[at], tails, answer[order], np.r_[starts, 2 * n])

    def sorted(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return rows (Int["q"]) with queries about tails first, else in the same order."""
        about_tail = rows < self.tails
        return np.concatenate([rows[about_tail], rows[~about_tail]])

    def batch(self, rows: NDArray[np.int64]) -> QueryBatch:
        """Return the queries in ``rows`` (Int["q"]), those about tails first."""
        tails = int((rows < self.tails).sum())
        rows = self.sorted(rows)
        answers, offsets = rows, None
        if self.offsets is not None:
            counts = self.offsets[rows + 1] - self.offsets[rows]
            ends = np.r_[0, counts.cumsum()]
            offsets = torch.from_numpy(ends)
            # 0, 1, … within each query, from where its answers begin
            answers = np.arange(ends[-1]) + np.repeat(self.offsets[rows] - ends[:-1], counts)
        return QueryBatch(
            torch.from_numpy(self.anchor[rows]),
            torch.from_numpy(self.relation[rows]),
            tails,
            torch.from_numpy(self.answer[answers]),
            offsets,
        )
