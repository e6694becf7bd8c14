"""What every tracker does: it is told the recipe, each epoch and the test metrics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

from openke.training.callback import Callback, Training
from openke.training.history import Record


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """A run, as trackers are told of it."""

    name: str
    folder: Path
    recipe: Mapping[str, Any]

    def flat(self) -> dict[str, str | int | float | bool]:
        """Return the recipe as place -> value, such as "training.lr" -> 0.1."""
        return dict(_flat("", self.recipe))


def _flat(place: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        inner = [_flat(f"{place}.{name}" if place else name, each) for name, each in value.items()]
        return [pair for pairs in inner for pair in pairs]
    return [(place, value if isinstance(value, (str, int, float)) else str(value))]


class Tracker(Callback, ABC):
    """Sends the record of each epoch to a service; of several processes the first one does.

    Parameters
    ----------
    run
        What is followed.

    Raises
    ------
    ImportError
        The service's package is not installed.
    """

    PACKAGE: ClassVar[str]
    """What is imported, and what pip installs."""

    def __init__(self, run: Tracked) -> None:
        self.run = run
        self.id = ""
        """What the service calls the run; a resumed training goes on with it."""
        self._open = False
        self.package = self._imported()

    def on_start(self, trainer: Training) -> None:
        """Begin, or go on after the epochs done."""
        if trainer.world.chief:
            self.begin(trainer.epoch)
            self._open = True

    def on_epoch_end(self, trainer: Training, record: Record) -> None:
        """Send the record."""
        if trainer.world.chief:
            values = {name: value for name, value in record.items() if name != "epoch"}
            self.log(values, trainer.epoch)

    def finish(self, metrics: Mapping[str, float], epoch: int) -> None:
        """Send what the test split says, as ``test_…``, and close."""
        if self._open:
            self.log({f"test_{name}": value for name, value in metrics.items()}, epoch)
        self.end()

    def end(self) -> None:
        """Close, if that has not happened yet."""
        if self._open:
            self._open = False
            self.close()

    def state(self) -> dict[str, Any]:
        """Return the service's name of the run."""
        return {"id": self.id}

    def restore(self, state: dict[str, Any]) -> None:
        """Take back the service's name of the run."""
        self.id = state["id"]

    @abstractmethod
    def begin(self, epoch: int) -> None:
        """Open the service's run, ``epoch`` epochs being done."""

    @abstractmethod
    def log(self, values: Mapping[str, float], epoch: int) -> None:
        """Send numbers by name."""

    @abstractmethod
    def close(self) -> None:
        """End the service's run."""

    def _imported(self) -> Any:
        try:
            return import_module(self.PACKAGE)
        except ImportError as error:
            raise ImportError(
                f"--tracker needs the package {self.PACKAGE} ({error}): pip install {self.PACKAGE}"
            ) from error
