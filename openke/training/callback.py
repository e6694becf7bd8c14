"""What a callback sees and when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch

from openke.module.strategy.strategy import Strategy
from openke.runtime.distributed import World
from openke.training.history import History, Record


class Training(Protocol):
    """A training run as its callbacks see it; :class:`.Trainer` is one."""

    strategy: Strategy
    optimizer: torch.optim.Optimizer
    history: History
    world: World
    train_times: int
    epoch: int
    """Epochs done."""

    @property
    def steps(self) -> int:
        """How many steps an epoch has."""

    @property
    def finished(self) -> bool:
        """Whether no epoch follows."""

    def stop(self, reason: str) -> None:
        """End training after this epoch."""

    def save(self, path: str | Path) -> None:
        """Write a checkpoint."""


class Callback:
    """Called at the start of a training run, after each step and each epoch, and at the end.

    ``state`` and ``restore`` carry what it remembers through checkpoints.
    """

    @property
    def depends_on_length(self) -> bool:
        """Whether what it does in an epoch depends on how many there will be."""
        return False

    def identity(self) -> dict[str, Any]:
        """Return the settings that a resumed run must agree on, as JSON values; none by default."""
        return {}

    def on_start(self, trainer: Training) -> None:
        """Before the first epoch of this run, also of a resumed one."""

    def on_step_end(self, trainer: Training) -> None:
        """After a step, those of all turns on a batch; nothing here may wait for the device."""

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """After an epoch; may add to ``record`` and call ``trainer.stop(reason)``."""

    def on_end(self, trainer: Training) -> None:
        """After the last epoch, before the run returns."""

    def state(self) -> dict[str, Any]:
        """Return what a resumed run must know."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` returned."""
