"""Training against sampled negatives."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from openke.data.batch import Batch
from openke.module.loss.loss import Loss
from openke.module.model.model import Model
from openke.module.model.openke_adapter import in_house_form
from openke.module.penalty import Facts
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.negatives import Scores, score_batch
from openke.module.scoring.projection import prepare_batch
from openke.module.strategy.strategy import Strategy


class NegativeSampling(Strategy):
    """Loss of positives against their negatives, plus penalties (OpenKE's name and arguments).

    Parameters
    ----------
    model, loss
        What scores and what judges the scores. A model written for OpenKE is translated, see
        :mod:`openke.module.model.openke_adapter`.
    batch_size
        Accepted for OpenKE's scripts; the batch says how large it is.
    regul_rate
        Weight of :meth:`Model.regularization`, the batch's mean squares.
    l3_regul_rate
        Weight of :meth:`Model.l3_regularization`, the cubes of all vectors.
    **options
        Penalty and dropout, see :class:`Strategy`; the facts are the positives.
    """

    def __init__(
        self,
        model: Model,
        loss: Loss,
        batch_size: int | None = None,
        regul_rate: float = 0.0,
        l3_regul_rate: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(model, **options)
        _check_loss(loss)
        self.loss = loss
        self.regul_rate = regul_rate
        self.l3_regul_rate = l3_regul_rate

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse OpenKE's inner methods, which nothing calls here."""
        super().__init_subclass__(**options)
        for name in ("_get_positive_score", "_get_negative_score"):
            if name in vars(cls):
                raise TypeError(
                    f"{cls.__name__}.{name} would never be called: scores come apart already, as "
                    "scores.positive and scores.negative of model(batch); override forward(batch)"
                )

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on: loss and weights of the penalties."""
        # A user's own loss says no more than its name.
        named = {"loss": type(self.loss).__name__}
        return {
            **super().identity(),
            **(self.loss.identity() if isinstance(self.loss, Loss) else named),
            "regul_rate": self.regul_rate,
            "l3_regul_rate": self.l3_regul_rate,
        }

    def check_loader(self, settings: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` where triples are weighed and the loss takes no weights."""
        taken = inspect.signature(self.loss.forward).parameters
        if settings.get("weights", "even") != "even" and "weight" not in taken:
            raise ValueError(
                f"weights is {settings['weights']!r}, but {type(self.loss).__name__}.forward has "
                "no parameter weight; leave weights out, or take another loss"
            )

    def prepare(self, batch: Batch) -> Batch:
        """Return a batch with the pairs that a model which projects entities projects."""
        return prepare_batch(self.model, batch)

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch, a scalar."""
        model = in_house_form(self.model, self.loss)
        if not self.auxiliary:
            return self.judge(model, batch, self.forgetful(model)(batch))
        return self.loss_of_rows(model, batch, model.encode(batch.entities))

    def loss_of_rows(self, model: Model, batch: Batch, rows: Encodings) -> Tensor:
        """Return the loss of a batch whose entities are encoded already, or are made up."""
        scores = score_batch(self.forgetful(model), batch, rows)
        head, tail = scores.entities.head, scores.entities.tail
        twice = len(scores.relations) - len(head)  # positives that are asked both ways
        head, tail = torch.cat([head[:twice], head]), torch.cat([tail[:twice], tail])
        return self.judge(model, batch, scores) + self.auxiliary_loss(
            model, rows, head, scores.relations, tail
        )

    def judge(self, model: Model, batch: Batch, scores: Scores) -> Tensor:
        """Return the loss of a batch's scores, plus penalties."""
        weight = {} if batch.weight is None else {"weight": _of_positives(batch.weight, scores)}
        total: Tensor = self.loss(scores.positive, scores.negative, scores.mask, **weight)
        if self.regul_rate:
            total = total + self.regul_rate * model.regularization(scores)
        if self.l3_regul_rate:
            total = total + self.l3_regul_rate * model.l3_regularization()
        if self.penalty is not None:
            total = total + self.penalty(model, _facts(model, batch))
        return total


def _of_positives(weight: Tensor, scores: Scores) -> Tensor:
    """Return the weight of each positive score; those asked both ways stand there twice."""
    return weight.repeat(len(scores.positive) // len(weight))


def _facts(model: Model, batch: Batch) -> Facts:
    """Return the positives, asked for their tails, and with inverses for their heads, too.

    What an inverse relation is asked is a tail again.
    """
    head, relation, tail = batch.positive.unbind(dim=1)
    if not model.asymmetric_queries:
        return Facts(head, relation, tail, len(head))
    tails = 2 * len(head) if model.inverse_offset else len(head)
    asked = torch.cat(
        [model.effective_relation(relation, "tail"), model.effective_relation(relation, "head")]
    )
    return Facts(torch.cat([head, tail]), asked, torch.cat([tail, head]), tails)


def _check_loss(loss: Loss) -> None:
    try:
        inspect.signature(loss.forward).bind("positive", "negative", "mask")
    except TypeError:
        raise ValueError(
            f"{type(loss).__name__}.forward takes other arguments than (positive, negative, mask): "
            "give it a third one, mask=None; scores are positive[b] and negative[b, k], and "
            "higher is better for every model"
        ) from None
