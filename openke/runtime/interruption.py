"""Ctrl-C and SIGTERM while something must come to its end: noted, and obeyed where it can stop."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any, NoReturn

ONCE_SECONDS = 1.0
"""Signals so close together are one: a terminal and a launcher may each send their own."""


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

    DEFAULTS: tuple[tuple[signal.Signals, Any], ...] = (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGTERM, signal.SIG_DFL),
    )

    def __init__(self, active: bool = True) -> None:
        self.active = active and threading.current_thread() is threading.main_thread()
        self.signal: int | None = None
        """What was noted."""
        self._noted = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        for number, default in self.DEFAULTS if self.active else ():
            if signal.getsignal(number) == default:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._before:
            signal.signal(*self._before.popitem())

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
