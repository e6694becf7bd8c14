"""What a strategy is: a batch becomes one number to minimise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from openke.module.model.model import Model
from openke.module.settings import check_number


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
    def forward(self, batch: Any) -> Tensor:
        """Return the objective of a batch, a scalar; which batches, the strategy says."""


def check_share(owner: str, name: str, value: float) -> None:
    """Raise ``ValueError`` unless ``value`` is a share from 0 to below 1."""
    check_number(owner, name, value)
    if not 0 <= value < 1:
        raise ValueError(f"{owner}: {name} is {value}, expected a share from 0 to below 1")
