"""The sum of an epoch's losses, looked at as seldom as the device makes it worth while."""

from __future__ import annotations

import torch
from torch import Tensor


class LossTotal:
    """Adds up losses in double precision; each must be finite.

    Parameters
    ----------
    total, step
        The sum of the losses of the epoch's first ``step`` steps.
    every
        Losses between two looks, each of which waits for an accelerator.
    place
        Of the epoch, for errors: "in epoch 3, step {step} of 70: lower the learning rate …".
    """

    def __init__(self, total: float, step: int, every: int, place: str) -> None:
        self.step = step
        self._total = total
        self._every = every
        self._place = place
        self._pending: list[Tensor] = []

    def add(self, loss: Tensor) -> bool:
        """Add a step's loss, a scalar; return whether the losses were looked at.

        Raises
        ------
        FloatingPointError
            A loss is infinite or not a number.
        """
        self.step += 1
        self._pending.append(loss)
        due = len(self._pending) == self._every
        if due:
            self.value()
        return due

    def value(self) -> float:
        """Return the sum of all losses so far; raises as :meth:`add` does."""
        if self._pending:
            values = torch.stack(self._pending).cpu().double()
            wrong = (~values.isfinite()).nonzero()
            if len(wrong):
                first = int(wrong[0])
                step = self.step - len(values) + 1 + first
                raise FloatingPointError(
                    f"the loss is {values[first].item()} {self._place.format(step=step)}"
                )
            self._total += values.sum().item()
            self._pending = []
        return self._total
