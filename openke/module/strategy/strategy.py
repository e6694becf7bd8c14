"""What a strategy is: a batch becomes one number to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from openke.data.batch import Batch
from openke.module.model.model import Model


class Strategy(nn.Module, ABC):
    """A training objective around a model.

    Parameters
    ----------
    model
        The model that is trained.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Return the objective of a batch, a scalar."""
