"""How far a training is: a bar on a terminal, a line an epoch anywhere else."""

from __future__ import annotations

from types import TracebackType

from tqdm.auto import tqdm

from openke.runtime.progress import has_bars, say
from openke.training.history import Record


class TrainingProgress:
    """Shows a training on standard error.

    Parameters
    ----------
    epochs, steps
        How many epochs there are, and steps in each.
    done
        Steps done before, of all epochs.
    last
        The record of the last epoch done before, if there is one.
    show
        False: nothing is shown.
    """

    def __init__(
        self, epochs: int, steps: int, *, done: int, last: Record | None, show: bool
    ) -> None:
        self.epochs = epochs
        self.show = show
        self._bars = has_bars()
        self._measured = _measured(last or {})
        self._bar = tqdm(
            total=epochs * steps, initial=done, unit="step", disable=not (show and self._bars)
        )

    def __enter__(self) -> TrainingProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def begin_epoch(self, number: int) -> None:
        """Name the epoch that begins, counted from 1."""
        self._bar.set_description(f"epoch {number}/{self.epochs}")

    def loss(self, value: float) -> None:
        """Show the loss of a step beside what was measured last."""
        news = ", ".join([f"loss {value:.4f}", *self._measured])
        self._bar.set_postfix_str(news, refresh=False)

    def step(self) -> None:
        """Count a step."""
        self._bar.update()

    def end_epoch(self, record: Record) -> None:
        """Take what an epoch has come to; where there is no bar, print its line."""
        self._measured = _measured(record) or self._measured
        if not self._bars:
            news = [f"loss {record['loss']:.4f}", *_measured(record), f"{record['seconds']:.1f} s"]
            self.say(f"epoch {record['epoch']:.0f}/{self.epochs}: {', '.join(news)}")

    def say(self, line: str) -> None:
        """Print a line of its own, in the order of time with the bar."""
        if self.show:
            say(line)


def _measured(record: Record) -> list[str]:
    return [f"{name} {value:.4f}" for name, value in record.items() if name.endswith("mrr")]
