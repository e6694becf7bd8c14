"""Learning rates that change between epochs, or between steps."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch.optim import lr_scheduler

from openke.runtime.names import check_known
from openke.runtime.values import Count, Natural, Positive, Weight, check_arguments, check_value
from openke.training.callback import Callback, Training
from openke.training.history import Record

Optimizer = torch.optim.Optimizer


def constant(optimizer: Optimizer, epochs: int) -> lr_scheduler.LRScheduler:
    """Return the same rate always: for ``warm_up`` alone."""
    return lr_scheduler.ConstantLR(optimizer, factor=1.0)


def cosine(optimizer: Optimizer, epochs: int, *, least: Weight = 0.0) -> lr_scheduler.LRScheduler:
    """Return half a cosine from the rate down to ``least`` at the end of training."""
    return lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs, eta_min=least)


def cosine_restarts(
    optimizer: Optimizer,
    epochs: int,
    *,
    first: Count = 50,
    factor: Count = 2,
    least: Weight = 0.0,
) -> lr_scheduler.LRScheduler:
    """Return half a cosine from the rate down to ``least``, again and again.

    The first takes ``first`` epochs, each further one ``factor`` times those of the one before it.
    """
    return lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, T_0=first, T_mult=factor, eta_min=least
    )


def exponential(
    optimizer: Optimizer, epochs: int, *, factor: Positive = 0.99
) -> lr_scheduler.LRScheduler:
    """Return the rate times ``factor`` after each epoch."""
    return lr_scheduler.ExponentialLR(optimizer, gamma=factor)


def step(
    optimizer: Optimizer, epochs: int, *, every: Count = 10, factor: Positive = 0.1
) -> lr_scheduler.LRScheduler:
    """Return the rate times ``factor`` after each ``every`` epochs."""
    return lr_scheduler.StepLR(optimizer, step_size=every, gamma=factor)


def plateau(
    optimizer: Optimizer,
    epochs: int,
    *,
    factor: Positive = 0.5,
    patience: Natural = 2,
    least: Weight = 0.0,
    min_delta: Weight = 0.0,
) -> lr_scheduler.ReduceLROnPlateau:
    """Return the rate times ``factor`` after more than ``patience`` measurements without a rise."""
    return lr_scheduler.ReduceLROnPlateau(
        optimizer,
        mode="max",
        factor=factor,
        patience=patience,
        min_lr=least,
        threshold=min_delta,
        threshold_mode="abs",
    )


SCHEDULES: dict[str, Callable[..., Any]] = {
    "constant": constant,
    "cosine": cosine,
    "cosine restarts": cosine_restarts,
    "exponential": exponential,
    "plateau": plateau,
    "step": step,
}
"""Every schedule by name; what follows ``epochs`` are its settings."""
GIVEN = ("optimizer", "epochs")
"""What a schedule is made with besides its settings."""


Unit = Literal["epochs", "steps"]


class Schedule(Callback):
    """Sets the learning rate of each epoch, or of each step.

    A resumed run must have the schedule that it began with; half a cosine as many epochs, too.

    Parameters
    ----------
    name
        A key of :data:`SCHEDULES`.
    warm_up
        Epochs in which the rate first rises, in equal steps, to what the Trainer was given.
    unit
        "epochs", or "steps": of ``warm_up`` and of the settings, and how often the rate is set.
    metric
        What ``"plateau"`` looks at, higher is better; put this callback after the Validation.
    **settings
        Of the schedule.

    Raises
    ------
    ValueError
        An unknown name, unit or setting, a negative ``warm_up``, ``"plateau"`` by steps, or no
        epoch that measured ``metric``.
    """

    def __init__(
        self,
        name: str,
        *,
        warm_up: Natural = 0,
        unit: Unit = "epochs",
        metric: str = "valid_mrr",
        **settings: Any,
    ) -> None:
        check_known("schedule", name, SCHEDULES)
        owner = f"schedule {name!r}, beside warm_up, unit and metric,"
        check_arguments("schedule", settings, SCHEDULES[name], owner=owner, but=GIVEN)
        check_value("schedule.warm_up", warm_up, Natural)
        check_value("schedule.unit", unit, Unit)
        check_value("schedule.metric", metric, str)
        if name == "plateau" and unit == "steps":
            raise ValueError(
                "schedule.unit is 'steps', but 'plateau' looks at what is measured between epochs; "
                "leave it out"
            )
        self.name = name
        self.warm_up = warm_up
        self.unit = unit
        self.metric = metric
        self.settings = settings
        self._rates: list[float] = []  # of the optimiser's groups, before anything changes them
        self._scheduler: Any = None
        self._remembered: dict[str, Any] | None = None
        self._measured = False
        self._steps = 0

    @property
    def depends_on_length(self) -> bool:
        """Whether the rate of an epoch depends on how many there will be."""
        return self.name == "cosine"

    def identity(self) -> dict[str, Any]:
        """Return all settings, defaults included."""
        own = inspect.signature(SCHEDULES[self.name]).parameters
        defaults = {name: found.default for name, found in own.items() if name not in GIVEN}
        return {
            "schedule": self.name,
            "warm_up": self.warm_up,
            "unit": self.unit,
            "metric": self.metric,
            **defaults,
            **self.settings,
        }

    def on_start(self, trainer: Training) -> None:
        """Take over the optimiser's learning rates."""
        if self._scheduler is not None:
            return
        groups = trainer.optimizer.param_groups
        now = [float(group["lr"]) for group in groups]
        self._rates = self._rates or now
        length = trainer.train_times * (trainer.steps if self.unit == "steps" else 1)
        remaining = max(1, length - self.warm_up)
        self._scheduler = SCHEDULES[self.name](trainer.optimizer, remaining, **self.settings)
        if self._remembered is not None:
            self._scheduler.load_state_dict(self._remembered)
            self._set(trainer, now)  # making a scheduler takes a step of it
        elif self.warm_up:
            self._warm(trainer, 1)

    def on_step_end(self, trainer: Training) -> None:
        """Set the rate of the next step, where steps are the unit."""
        if self.unit == "steps":
            self._steps += 1
            self._advance(trainer, self._steps)

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Set the rate of the next epoch, where epochs are the unit."""
        if self.unit == "steps":
            return
        if self.name != "plateau" or trainer.epoch <= self.warm_up:
            self._advance(trainer, trainer.epoch)
        elif self.metric in record:
            self._measured = True
            self._scheduler.step(record[self.metric])
        elif trainer.finished and not self._measured:
            raise ValueError(
                f"schedule 'plateau': no epoch measured {self.metric!r}; the record has "
                f"{', '.join(record)}. Put a Validation callback before it"
            )

    def state(self) -> dict[str, Any]:
        """Return the first rates, the steps so far and the scheduler's state."""
        return {
            "rates": self._rates,
            "scheduler": self._scheduler and self._scheduler.state_dict(),
            "measured": self._measured,
            "steps": self._steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back what :meth:`state` returned."""
        self._rates, self._measured = state["rates"], state["measured"]
        self._steps = state.get("steps", 0)  # earlier releases knew no steps
        self._remembered = state["scheduler"]
        self._scheduler = None

    def _advance(self, trainer: Training, done: int) -> None:
        """Set the rates of what follows so many epochs or steps."""
        if done <= self.warm_up:
            self._warm(trainer, done + 1)
        else:
            self._scheduler.step()

    def _warm(self, trainer: Training, number: int) -> None:
        """Set the rates of a training's epoch or step of this number, counted from 1."""
        share = min(1.0, number / (self.warm_up + 1))
        self._set(trainer, [share * rate for rate in self._rates])

    def _set(self, trainer: Training, rates: list[float]) -> None:
        for group, rate in zip(trainer.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate
