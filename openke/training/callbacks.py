"""What may happen between epochs: validation, early stopping, checkpoints, a log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openke.data.overlap import warn_if_leaky
from openke.data.store import TripleStore
from openke.training.callback import Callback, Training
from openke.training.history import Record


class Validation(Callback):
    """Measures a split every few epochs and adds ``valid_…`` columns to the record.

    Parameters
    ----------
    measure
        Returns metrics by name, e.g. ``lambda: tester.rank("valid").metrics()``.
    store
        The triples: a warning is given where its valid split repeats train or test.
    every
        Epochs between two measurements.
    """

    def __init__(
        self, measure: Callable[[], dict[str, float]], store: TripleStore, every: int = 1
    ) -> None:
        if every < 1:
            raise ValueError(f"Validation: every is {every}, expected at least 1 epoch")
        store.require("valid")
        warn_if_leaky(store, "valid", stacklevel=3)
        self.measure = measure
        self.every = every

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Measure in every ``every``-th epoch and in the last.

        Raises
        ------
        FloatingPointError
            The weights are no longer numbers, and no score is: the last step of an epoch can do
            that, whose loss still was one.
        """
        if trainer.epoch % self.every and trainer.epoch != trainer.train_times:
            return
        try:
            measured = self.measure()
        except ValueError as error:
            if all(bool(part.isfinite().all()) for part in trainer.strategy.parameters()):
                raise
            raise FloatingPointError(f"the weights after epoch {trainer.epoch}: {error}") from error
        record.update({f"valid_{name}": value for name, value in measured.items()})


class EarlyStopping(Callback):
    """Stops when a metric has not risen for ``patience`` measurements; keeps the best weights.

    Put it after the :class:`Validation` that measures. At the end the model holds the weights of
    its best epoch.

    Parameters
    ----------
    metric
        Column of the record, higher is better.
    patience
        Measurements without a rise before training stops.
    min_delta
        The least rise that counts.
    """

    def __init__(
        self, metric: str = "valid_mrr", patience: int = 5, min_delta: float = 0.0
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience is {patience}, expected at least 1")
        self.metric = metric
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("-inf")
        self.best_epoch = 0
        self.waited = 0
        self._weights: dict[str, Any] = {}

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Compare with the best value so far."""
        if self.metric not in record:
            if trainer.epoch == trainer.train_times and not self._weights:
                raise ValueError(
                    f"EarlyStopping: no epoch measured {self.metric!r}; the record has "
                    f"{', '.join(record)}. Put a Validation callback before it"
                )
            return
        value = record[self.metric]
        if value > self.best + self.min_delta:
            self.best, self.best_epoch, self.waited = value, trainer.epoch, 0
            self._weights = {
                name: tensor.detach().cpu().clone()
                for name, tensor in trainer.strategy.state_dict().items()
            }
            return
        self.waited += 1
        if self.waited >= self.patience:
            trainer.stop(
                f"{self.metric} has not risen above {self.best:.4f} (epoch {self.best_epoch}) in "
                f"{self.waited} measurements"
            )

    def on_end(self, trainer: Training) -> None:
        """Put the best weights back."""
        if self._weights:
            trainer.strategy.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """Return the best value and weights so far."""
        return {
            "best": self.best,
            "best_epoch": self.best_epoch,
            "waited": self.waited,
            "weights": self._weights,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take back the best value and weights."""
        self.best, self.best_epoch = state["best"], state["best_epoch"]
        self.waited, self._weights = state["waited"], state["weights"]


class Checkpoint(Callback):
    """Writes a checkpoint every few epochs, at the end, and after an epoch when it is time.

    It is also written where Ctrl-C or SIGTERM ends training, see :meth:`.Trainer.run`.

    Parameters
    ----------
    path
        The file, replaced whole each time.
    every
        Epochs between two checkpoints.
    minutes
        Write after an epoch that ends this long after the last checkpoint, too: no more work than
        that, or one epoch, is lost.
    """

    def __init__(self, path: Path, every: int = 1, minutes: float = math.inf) -> None:
        if every < 1:
            raise ValueError(f"Checkpoint: every is {every}, expected at least 1 epoch")
        self.path = path
        self.every = every
        self.minutes = minutes
        self._written = time.monotonic()

    def on_start(self, trainer: Training) -> None:
        """Start the clock."""
        self._written = time.monotonic()

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Write in every ``every``-th epoch, in the last, and when it is time."""
        late = time.monotonic() - self._written > 60 * self.minutes
        if trainer.epoch % self.every == 0 or trainer.finished or late:
            trainer.save(self.path)
            self._written = time.monotonic()


class Log(Callback):
    """Keeps a CSV table of all epochs up to date.

    Parameters
    ----------
    path
        The file, one row an epoch.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Write the table."""
        if trainer.world.chief:
            trainer.history.write_csv(self.path)
