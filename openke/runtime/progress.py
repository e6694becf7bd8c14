"""How far something is: a bar on a terminal or in a notebook, few plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tqdm.asyncio import tqdm_asyncio
from tqdm.auto import tqdm

IN_NOTEBOOK = tqdm is not tqdm_asyncio
"""Whether tqdm draws its bars as widgets of a notebook."""
LINE_SECONDS = 300.0
"""Between two lines about one thing, where there are no bars."""


def has_bars() -> bool:
    """Return whether standard error shows bars: a terminal does, a file or a pipe does not."""
    return IN_NOTEBOOK or (sys.stderr is not None and sys.stderr.isatty())


def say(line: str) -> None:
    """Print a line on standard error, above a bar that is shown there.

    Where it cannot be written, as on a full disk, nobody reads it, and what is done goes on.
    """
    with suppress(OSError):
        if has_bars():
            tqdm.write(line, file=sys.stderr)
        else:
            print(line, file=sys.stderr, flush=True)


@contextmanager
def counting(
    task: str, total: int, unit: str, *, done: int = 0, show: bool = True
) -> Iterator[Callable[[int], object]]:
    """Show how far a task is; the caller calls what this yields with how many more are done.

    Where there are no bars it is one line at the end, and one every five minutes until then.

    Parameters
    ----------
    task
        What is done: "ranking test".
    total, unit
        How many there are of what, in the plural: "queries".
    done
        How many were done before.
    show
        False: nothing is shown.
    """
    if not show or has_bars():
        with tqdm(total=total, initial=done, unit=f" {unit}", desc=task, disable=not show) as shown:
            yield shown.update
        return
    lines = _Lines(task, total, unit, done)
    yield lines.update
    if total > done:
        say(f"{task}: {total - done:,} {unit} in {lines.seconds:.1f} s")


class _Lines:
    """Counts, and says so now and then."""

    def __init__(self, task: str, total: int, unit: str, done: int) -> None:
        self.task, self.total, self.unit, self.done = task, total, unit, done
        self._started = self._said = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._started

    def update(self, more: int = 1) -> None:
        """Count ``more`` as done."""
        self.done += more
        if time.monotonic() - self._said >= LINE_SECONDS:
            self._said = time.monotonic()
            say(
                f"{self.task}: {self.done:,} of {self.total:,} {self.unit} "
                f"after {self.seconds / 60:.0f} min"
            )
