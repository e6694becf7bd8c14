"""Ctrl-C and SIGTERM while something must come to its end: noted, and obeyed where it can stop."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any, NoReturn

ONCE_SECONDS = 1.0
"""Signals so close together are one: a terminal and a launcher may each send their own."""


DEFAULTS: tuple[tuple[signal.Signals, Any], ...] = (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGTERM, signal.SIG_DFL),
)
"""What Python does by default; whoever else has set a handler keeps it."""


class Interruption:
    """Notes SIGINT and SIGTERM instead of obeying them at once.

    Only what Python does by default is replaced: a program's own handlers stay, and so does an
    ignored signal. Outside the main thread, where Python allows no handlers, nothing is noted. A
    second signal is obeyed at once.

    Parameters
    ----------
    active
        False: nothing is noted, both signals do what they always do.
    """

    def __init__(self, active: bool = True) -> None:
        self.active = active and threading.current_thread() is threading.main_thread()
        self.signal: int | None = None
        """What was noted."""
        self._noted = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if self.active:
            self._before = _replaced(self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _restore(self._before)

    def leave(self) -> NoReturn:
        """Obey what was noted: KeyboardInterrupt, or for SIGTERM an exit with status 143."""
        if self.signal == signal.SIGTERM:
            raise SystemExit(128 + signal.SIGTERM)
        raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self.signal is None:
            self.signal, self._noted = number, now
            # Someone who waits at a terminal; a print inside a print may fail, and may be left out.
            if sys.stderr is not None and sys.stderr.isatty():
                with contextlib.suppress(RuntimeError):
                    print("\nstopping; a second time stops at once", file=sys.stderr)
        elif now - self._noted > ONCE_SECONDS:
            self.signal = number
            self.leave()


@contextlib.contextmanager
def ended_at_once(name: str) -> Iterator[None]:
    """Let both signals end program ``name`` with one line, while nothing has been begun.

    That is while modules are loaded. An exception would come up somewhere inside of one, and many
    make another error of it, or none. Outside the main thread signals do what they always do.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        said = "interrupted" if number == signal.SIGINT else "terminated"
        with contextlib.suppress(OSError):
            os.write(2, f"{name}: {said}\n".encode())
        os._exit(128 + number)

    in_main = threading.current_thread() is threading.main_thread()
    before = _replaced(end) if in_main else {}
    try:
        yield
    finally:
        _restore(before)


def _replaced(handler: Any) -> dict[int, Any]:
    """Handle both signals where they do what Python does by default; return what did before."""
    return {
        number: signal.signal(number, handler)
        for number, default in DEFAULTS
        if signal.getsignal(number) == default
    }


def _restore(before: dict[int, Any]) -> None:
    while before:
        signal.signal(*before.popitem())
