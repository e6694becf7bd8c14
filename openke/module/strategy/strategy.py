"""What a strategy is: a batch becomes one number to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from openke.module.model.dropped import Dropped
from openke.module.model.model import Model
from openke.module.penalty import Penalty
from openke.runtime.values import Share, check_value


class Strategy(nn.Module, ABC):
    """A training objective around a model.

    Parameters
    ----------
    model
        The model that is trained.
    penalty
        Of the vectors of a batch's facts, added to the loss.
    anchor_dropout, query_dropout
        Shares of the numbers that a training step forgets: of the known entity's vectors, and of
        the query's.

    Raises
    ------
    ValueError
        A share that is not from 0 to below 1, a penalty that does not fit the model.
    """

    whole_tables: ClassVar[bool] = False
    """Whether a step touches every row of the entity tables."""

    def __init__(
        self,
        model: Model,
        *,
        penalty: Penalty | None = None,
        anchor_dropout: float = 0.0,
        query_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_value(f"{type(self).__name__}.anchor_dropout", anchor_dropout, Share)
        check_value(f"{type(self).__name__}.query_dropout", query_dropout, Share)
        if penalty is not None:
            penalty.check(model)
        self.model = model
        self.penalty = penalty
        self.anchor_dropout = anchor_dropout
        self.query_dropout = query_dropout

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on beside the model, as JSON values."""
        identity: dict[str, Any] = {"strategy": type(self).__name__}
        if self.penalty is not None:
            identity["penalty"] = self.penalty.identity()
        if self.anchor_dropout or self.query_dropout:
            identity["dropout"] = {"anchor": self.anchor_dropout, "query": self.query_dropout}
        return identity

    @abstractmethod
    def forward(self, batch: Any) -> Tensor:
        """Return the objective of a batch, a scalar; which batches, the strategy says."""

    def prepare(self, batch: Any) -> Any:
        """Return a batch with what a step would wait for, found ahead of time; here as it is."""
        return batch

    def forgetful(self, model: Model) -> Model:
        """Return the model as this training step sees it: with dropout where it is wanted."""
        if not self.training or not (self.anchor_dropout or self.query_dropout):
            return model
        return Dropped(model, self.anchor_dropout, self.query_dropout)
