"""What a strategy is: a batch becomes one number to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from torch import Tensor, nn

from openke.module.model.dropped import Dropped
from openke.module.model.model import Model
from openke.module.penalty import Penalty
from openke.module.scoring.encodings import Encodings
from openke.module.settings import NoSettings, configure
from openke.module.strategy.clock import Clock
from openke.module.strategy.turn import Turn, trained
from openke.runtime.names import check_known
from openke.runtime.values import Share, Weight, check_value


class Strategy(nn.Module, ABC):
    """A training objective around a model.

    Parameters
    ----------
    model
        The model that is trained.
    penalty
        Of the vectors of a batch's facts, added to the loss.
    auxiliary
        Weights of the model's :attr:`.Model.auxiliary_losses`, by name; those without one count
        nothing.
    anchor_dropout, query_dropout
        Shares of the numbers that a training step forgets: of the known entity's vectors, and of
        the query's.
    **settings
        Fields of the strategy's ``Config``.

    Raises
    ------
    ValueError
        A share that is not from 0 to below 1, a penalty that does not fit the model, an auxiliary
        loss that it does not have.
    """

    Config: ClassVar[type] = NoSettings
    """Settings of its own, a frozen dataclass; a recipe's ``training.objective`` has its fields."""
    whole_tables: ClassVar[bool] = False
    """Whether a step touches every row of the entity tables."""

    compiles: ClassVar[bool] = True
    """Whether a step can be one compiled program, or be recorded and replayed on a GPU: not where
    it depends on more than tensors and PyTorch's random numbers, such as numbers of Python that
    change from step to step."""

    def __init__(
        self,
        model: Model,
        *,
        penalty: Penalty | None = None,
        auxiliary: Mapping[str, float] | None = None,
        anchor_dropout: float = 0.0,
        query_dropout: float = 0.0,
        **settings: Any,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        check_value(f"{owner}.anchor_dropout", anchor_dropout, Share)
        check_value(f"{owner}.query_dropout", query_dropout, Share)
        if penalty is not None:
            penalty.check(model)
        auxiliary = dict(auxiliary or {})
        for name, weight in auxiliary.items():
            if not model.auxiliary_losses:
                raise ValueError(f"auxiliary is {name!r}, but the model has no further losses")
            check_known("auxiliary", name, model.auxiliary_losses)
            check_value(f"auxiliary.{name}", weight, Weight)
        self.config: Any = configure(self.Config, owner, settings)
        self.model = model
        self.auxiliary = {name: weight for name, weight in auxiliary.items() if weight}
        self.clock = Clock()
        self.looked_at_clock = False
        """Whether :attr:`clock` was asked for since this was last set to False."""
        self.penalty = penalty
        self.anchor_dropout = anchor_dropout
        self.query_dropout = query_dropout

    @property
    def clock(self) -> Clock:
        """Where in the training this step is; the Trainer sets it."""
        self.looked_at_clock = True
        return self._clock

    @clock.setter
    def clock(self, clock: Clock) -> None:
        self._clock = clock

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on beside the model, as JSON values."""
        identity: dict[str, Any] = {"strategy": type(self).__name__}
        if self.Config is not NoSettings:
            identity["settings"] = asdict(self.config)
        if self.penalty is not None:
            identity["penalty"] = self.penalty.identity()
        if self.auxiliary:
            identity["auxiliary"] = self.auxiliary
        if self.anchor_dropout or self.query_dropout:
            identity["dropout"] = {"anchor": self.anchor_dropout, "query": self.query_dropout}
        return identity

    @abstractmethod
    def forward(self, batch: Any) -> Tensor:
        """Return the objective of a batch, a scalar; which batches, the strategy says."""

    @property
    def depends_on_length(self) -> bool:
        """Whether a step depends on how many epochs were asked for, see :attr:`Clock.progress`.

        Such a training is not gone on with for more epochs: its first part would be another one.
        """
        return False

    def check_loader(self, settings: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` where batches of a loader with these settings do not fit."""

    def turns(self) -> tuple[Turn, ...]:
        """Return the steps taken on each batch; the loss of the first is :meth:`forward`.

        By default there is one, of all parameters.
        """
        return (Turn("model", trained(self), self.forward),)

    def constrain(self) -> None:
        """Put parameters back to where they must be, see :meth:`.Model.constrain`."""
        self.model.constrain()

    def begin_epoch(self, epoch: int) -> None:
        """Renew what holds for an epoch, see :meth:`.Model.begin_epoch`."""
        self.model.begin_epoch(epoch)

    def prepare(self, batch: Any) -> Any:
        """Return a batch with what a step would wait for, found ahead of time; here as it is."""
        return batch

    def auxiliary_loss(
        self, model: Model, rows: Encodings, head: Tensor, relation: Tensor, tail: Tensor
    ) -> Tensor | float:
        """Return the weighted sum of :meth:`.Model.auxiliary_loss`; 0 where none is wanted."""
        terms = (
            weight * model.auxiliary_loss(name, rows, head, relation, tail)
            for name, weight in self.auxiliary.items()
        )
        return sum(terms, start=0.0)

    def forgetful(self, model: Model) -> Model:
        """Return the model as this training step sees it: with dropout where it is wanted."""
        if not self.training or not (self.anchor_dropout or self.query_dropout):
            return model
        return Dropped(model, self.anchor_dropout, self.query_dropout)
