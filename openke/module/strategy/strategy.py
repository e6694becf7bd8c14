"""What a strategy is: a batch becomes one number to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

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

    def identity(self) -> dict[str, Any]:
        """Return what a checkpoint must agree on beside the model, as JSON values."""
        return {"strategy": type(self).__name__}

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Return the objective of a batch, a scalar."""
