"""Where in a training a step is."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from openke.module.strategy.random_numbers import normal, uniform


@dataclass(frozen=True, kw_only=True)
class Clock:
    """The step that a strategy is asked for; a Trainer sets it before each.

    It follows from the epochs and steps done, so a resumed training goes on with the right one.
    """

    epoch: int = 0
    """Epochs done."""
    epochs: int = 1
    """Epochs asked for."""
    step: int = 0
    """Steps of this epoch done."""
    steps: int = 1
    """Steps of an epoch."""
    seed: int = 0
    """That of the training."""
    rank: int = 0
    """Which of several processes this is."""

    @property
    def done(self) -> int:
        """Steps done in all epochs."""
        return self.epoch * self.steps + self.step

    @property
    def progress(self) -> float:
        """Share of the training that is done, from 0 to below 1."""
        return self.done / (self.epochs * self.steps)

    def uniform(self, purpose: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """Return random numbers of this step's own, between 0 and 1: Float[shape].

        They depend on seed, step, process and ``purpose`` alone: who draws them changes nothing
        for anybody else, and a resumed training draws the same. They are the same on every device,
        where they are drawn without the host.
        """
        return uniform(self._mixed(purpose), shape, device)

    def normal(self, purpose: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
        """Return random numbers of this step's own, normal with mean 0 and variance 1."""
        return normal(self._mixed(purpose), shape, device)

    def _mixed(self, purpose: int) -> int:
        mixed = (self.seed * 1_000_003 + self.done) * 1_009 + self.rank
        return mixed * 31 + purpose
