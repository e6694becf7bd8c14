"""What a Trainer does with one batch: each turn's loss, gradients, a step of its optimiser."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from openke.module.strategy.clock import Clock
from openke.module.strategy.turn import only
from openke.training.openke_setters import Moved
from openke.training.optimizers import gradients_by_row
from openke.training.precision import casting, tensor_cores
from openke.training.resuming import Resuming
from openke.training.step_graphs import StepGraphs, can_be_replayed


class Stepping(Resuming):
    """Takes the strategy's turns on a batch."""

    _objective: Callable[[Any], Tensor]
    _graphs: StepGraphs | None = None

    def _step(self, batch: Any) -> Tensor:
        """Take a step on a batch, wherever it is, and return its loss."""
        with tensor_cores(self.precision, self.device):
            if self._graphs is None:
                return self._train_on(batch.to(self.device))
            return self._graphs(batch)

    def _prepare(self, batch: Any) -> Any:
        """Do in the background what a step would wait for."""
        prepared = self.strategy.prepare(batch)
        return prepared if self._graphs is None else self._graphs.even(prepared)

    def _find_graphs(self) -> StepGraphs | None:
        able = can_be_replayed(self.strategy, len(self._turns), self.device, self.world.size)
        if not able:
            return None
        return StepGraphs(self._train_on, self.strategy, self.optimizer, self.device)

    def _train_on(self, batch: Any) -> Tensor:
        """Take all turns on a batch and return the loss of the first."""
        if len(self._turns) == 1:
            return self._descend(self._turns[0], self._objective, batch)
        losses = []
        for moved in self._turns:
            with only(moved.turn.parameters, self.strategy):
                losses.append(self._descend(moved, partial(self._weighed, moved.turn.loss), batch))
        return losses[0]

    def _descend(self, moved: Moved, objective: Callable[[Any], Tensor], batch: Any) -> Tensor:
        moved.optimizer.zero_grad(set_to_none=True)
        with gradients_by_row(moved.tables), casting(self.precision, self.device):
            loss = objective(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        if len(self._turns) > 1:
            self.world.average_gradients(moved.turn.parameters)
        if self.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(moved.turn.parameters, self.clip_norm)
        moved.optimizer.step()
        self._constrain()
        return loss.detach()

    @torch.no_grad()
    def _begin_epoch(self) -> None:
        if not self.epoch:
            self._constrain()
        self.strategy.begin_epoch(self.epoch)
        if self._graphs is not None:
            self._graphs.begin_epoch()

    @torch.no_grad()
    def _constrain(self) -> None:
        self.strategy.constrain()

    def _clock(self, step: int) -> Clock:
        seed = self.data_loader.settings.get("seed", 0)
        return Clock(
            epoch=self.epoch,
            epochs=self.train_times,
            step=step,
            steps=len(self.data_loader),
            seed=seed if isinstance(seed, int) else 0,
            rank=self.world.rank,
        )

    def _loss(self, batch: Any) -> Tensor:
        return self._weighed(self._parallel, batch)

    def _weighed(self, objective: Callable[[Any], Tensor], batch: Any) -> Tensor:
        """Return the objective of a batch; of a shard, as much as that counts for."""
        loss = objective(batch)
        return loss if self.world.size == 1 else loss * batch.share
