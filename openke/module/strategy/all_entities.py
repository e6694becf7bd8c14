"""Training by queries that all entities answer."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from openke.data.query_batch import QueryBatch
from openke.data.query_data_loader import Targets
from openke.module.loss.query_losses import QUERY_LOSSES
from openke.module.model.model import Model
from openke.module.scoring.all_entities import encode_all, score_heads
from openke.module.scoring.encodings import Encodings, branch
from openke.module.scoring.recompute import recomputed
from openke.module.strategy.query_blocks import Block, as_asked, blocks, facts
from openke.module.strategy.relation_prediction import relation_loss
from openke.module.strategy.strategy import Strategy
from openke.runtime.names import check_known
from openke.runtime.values import Share, Weight, check_value


class AllEntitiesStrategy(Strategy):
    """Mean loss of the queries of a batch, every entity being an answer, plus a penalty.

    Where queries have weights it is the weighted mean. Where a model has several score heads, the
    loss of a query is the sum of those of its :meth:`.Scorer.heads`.

    Parameters
    ----------
    model
        What scores; one written for OpenKE has no queries.
    loss
        ``"softmax"``: the right answer against all entities; ``"bce"``: each entity by itself.
    label_smoothing
        Share of the right answer's weight that is spread over all entities.
    relation_prediction
        Weight of the softmax cross entropy of (h, ?, t) against all relations (Chen et al., AKBC
        2021).
    **options
        Penalty and dropout, see :class:`Strategy`.

    Raises
    ------
    ValueError
        An unknown loss, a share that is not below 1, a weight below 0, a model written for OpenKE.
    """

    whole_tables = True
    targets: ClassVar[Targets]
    """What a batch must hold: one answer to each query, or all."""

    def __init__(
        self,
        model: Model,
        loss: str = "softmax",
        *,
        label_smoothing: float = 0.0,
        relation_prediction: float = 0.0,
        **options: Any,
    ) -> None:
        owner = type(self).__name__
        if model.in_openke_form:
            raise ValueError(
                f"{owner}: {type(model).__name__} is written for OpenKE, which knows no queries; "
                "train it by NegativeSampling"
            )
        super().__init__(model, **options)
        check_known(f"{owner}.loss", loss, QUERY_LOSSES)
        check_value(f"{owner}.label_smoothing", label_smoothing, Share)
        check_value(f"{owner}.relation_prediction", relation_prediction, Weight)
        self.loss = loss
        self.label_smoothing = label_smoothing
        self.relation_prediction = relation_prediction

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on: the loss and what is added to it."""
        return {
            **super().identity(),
            "loss": self.loss,
            "label_smoothing": self.label_smoothing,
            "relation_prediction": self.relation_prediction,
        }

    def prepare(self, batch: QueryBatch) -> QueryBatch:
        """Return the batch as it is asked: with inverses all its queries are about tails.

        Steps on such batches are of one layout, however many queries were about heads.
        """
        return as_asked(self.model, batch)[1]

    def forward(self, batch: QueryBatch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        self._check(batch)
        model, asked = as_asked(self.model, batch)
        forgetful = self.forgetful(model)
        candidates, known = encode_all(model), facts(asked)
        everyone = candidates
        if self.penalty is not None:
            candidates, rows = branch(candidates, known.entities()[0])
        losses = [
            # Scored again on the way back, so that one block of scores is held at a time.
            recomputed(forgetful, self._loss, forgetful, candidates, block)
            if large
            else self._loss(forgetful, candidates, block)
            for block, large in blocks(model, asked)
        ]
        weight = len(batch) if batch.weight is None else batch.weight.sum()
        total: Tensor = torch.stack(losses).sum() / weight
        if self.relation_prediction:
            predicted = relation_loss(model, known, candidates)
            total = total + self.relation_prediction * predicted
        if self.penalty is not None:
            total = total + self.penalty(model, known, rows)
        return total + self.auxiliary_loss(
            model, everyone, known.anchor, known.relation, known.answer
        )

    def _loss(self, model: Model, candidates: Encodings, block: Block) -> Tensor:
        """Return the weighted sum of the losses of a block's queries."""
        loss = QUERY_LOSSES[self.loss]
        losses = [
            loss(scores, block.answer, block.offsets, self.label_smoothing)
            for scores in score_heads(model, block.side, block.anchor, block.relation, candidates)
        ]
        each: Tensor = sum(losses[1:], start=losses[0])
        return (each if block.weight is None else each * block.weight).sum()

    def _check(self, batch: QueryBatch) -> None:
        found = type(batch).__name__
        if isinstance(batch, QueryBatch):
            found = "one" if batch.offsets is None else "all"
        if found != self.targets:
            raise ValueError(
                f"{type(self).__name__} trains on QueryDataLoader(…, targets="
                f"{self.targets!r}), found {found!r}"
            )
