"""Training by questions that all entities answer.

Shapes: q questions, e entities, n right answers of all questions together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from openke.data.batch import Side
from openke.data.questions import QuestionBatch, Targets
from openke.module.loss.answers import ANSWER_LOSSES
from openke.module.model.dropped import Dropped
from openke.module.model.model import Model
from openke.module.model.rows import Rows
from openke.module.model.scoring import encode_all, score_all
from openke.module.penalty import Facts, Penalty
from openke.module.strategy.strategy import Strategy, check_share

LOGITS_BYTES = 256 * 2**20
"""Size of the scores [q, e] held at a time, forwards and backwards."""


class AgainstAll(Strategy):
    """Mean loss of the questions of a batch, every entity being an answer, plus a penalty.

    Parameters
    ----------
    model
        What scores; one written for OpenKE has no questions.
    loss
        ``"softmax"``: the right answer against all entities; ``"bce"``: each entity by itself.
    label_smoothing
        Share of the right answer's weight that is spread over all entities.
    penalty
        Of the vectors of the batch's facts.
    anchor_dropout, query_dropout
        Shares of the known entity's vectors and of the query's that a training step forgets.

    Raises
    ------
    ValueError
        An unknown loss, a share that is not below 1, a model written for OpenKE.
    """

    targets: ClassVar[Targets]
    """What a batch must hold: one answer to each question, or all."""

    def __init__(
        self,
        model: Model,
        loss: str = "softmax",
        *,
        label_smoothing: float = 0.0,
        penalty: Penalty | None = None,
        anchor_dropout: float = 0.0,
        query_dropout: float = 0.0,
    ) -> None:
        super().__init__(model)
        owner = type(self).__name__
        if loss not in ANSWER_LOSSES:
            known = ", ".join(map(repr, ANSWER_LOSSES))
            raise ValueError(f"{owner}: loss is {loss!r}, expected one of {known}")
        check_share(owner, "label_smoothing", label_smoothing)
        check_share(owner, "anchor_dropout", anchor_dropout)
        check_share(owner, "query_dropout", query_dropout)
        if model.in_openke_form:
            raise ValueError(
                f"{owner}: {type(model).__name__} is written for OpenKE, which knows no questions; "
                "train it by NegativeSampling"
            )
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.penalty = penalty
        self.anchor_dropout = anchor_dropout
        self.query_dropout = query_dropout

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on: loss, penalty and dropout."""
        return {
            **super().identity(),
            "loss": self.loss,
            "label_smoothing": self.label_smoothing,
            "penalty": self.penalty and self.penalty.identity(),
            "anchor_dropout": self.anchor_dropout,
            "query_dropout": self.query_dropout,
        }

    def forward(self, batch: QuestionBatch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        self._check(batch)
        model = self.model
        if self.training and (self.anchor_dropout or self.query_dropout):
            model = Dropped(model, self.anchor_dropout, self.query_dropout)
        candidates = encode_all(model)
        blocks = list(_blocks(model, batch))
        # Blocks are scored again on the way back, so that one [q, e] is held at a time.
        losses = [
            self._loss(model, candidates, block)
            if len(blocks) == 1
            else checkpoint(self._loss, model, candidates, block, use_reentrant=False)
            for block in blocks
        ]
        total: Tensor = torch.stack(losses).sum() / len(batch)
        if self.penalty is not None:
            total = total + self.penalty(model, _facts(model, batch))
        return total

    def _loss(self, model: Model, candidates: Rows, block: _Block) -> Tensor:
        """Return the sum of the losses of a block's questions."""
        scores = score_all(model, block.side, block.anchor, block.relation, candidates)
        loss = ANSWER_LOSSES[self.loss]
        return loss(scores, block.answer, block.offsets, self.label_smoothing).sum()

    def _check(self, batch: QuestionBatch) -> None:
        found = type(batch).__name__
        if isinstance(batch, QuestionBatch):
            found = "one" if batch.offsets is None else "all"
        if found != self.targets:
            raise ValueError(
                f"{type(self).__name__} trains on QuestionDataLoader(…, targets="
                f"{self.targets!r}), found {found!r}"
            )


class _Block(NamedTuple):
    """Questions about one slot that are scored together."""

    side: Side
    anchor: Tensor
    relation: Tensor
    answer: Tensor
    offsets: Tensor | None


def _blocks(model: Model, batch: QuestionBatch) -> Iterator[_Block]:
    """Split a batch by slot, then into blocks of at most LOGITS_BYTES or, if that, of a relation.

    All entities as one relation sees them are as large as a whole table.
    """
    most = max(1, LOGITS_BYTES // (4 * model.ent_tot))
    everything = torch.arange(len(batch), device=batch.anchor.device)
    sides: dict[Side, Tensor] = {
        "tail": everything[: batch.tails],
        "head": everything[batch.tails :],
    }
    for side, rows in sides.items():
        groups: tuple[Tensor, ...] = (rows,)
        if model.relational:
            relation = batch.relation[rows]
            order = torch.argsort(relation, stable=True)
            _, sizes = torch.unique_consecutive(relation[order], return_counts=True)
            groups = torch.split(rows[order], sizes.tolist())
        for group in groups:
            for part in torch.split(group, most) if len(group) else ():
                answer, offsets = _answers(batch, part)
                yield _Block(side, batch.anchor[part], batch.relation[part], answer, offsets)


def _answers(batch: QuestionBatch, rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the answers to the questions in ``rows`` and where each one's begin and end."""
    if batch.offsets is None:
        return batch.answer[rows], None
    counts = batch.offsets.diff()[rows]
    ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    first = torch.repeat_interleave(batch.offsets[rows] - ends[:-1], counts)
    return batch.answer[first + torch.arange(len(first), device=rows.device)], ends


def _facts(model: Model, batch: QuestionBatch) -> Facts:
    tails = batch.tails
    asked = torch.cat(
        [
            model.asked(batch.relation[:tails], "tail"),
            model.asked(batch.relation[tails:], "head"),
        ]
    )
    if batch.offsets is None:
        return Facts(batch.anchor, asked, batch.answer)
    counts = batch.offsets.diff()
    anchor, relation = (torch.repeat_interleave(ids, counts) for ids in (batch.anchor, asked))
    return Facts(anchor, relation, batch.answer)
