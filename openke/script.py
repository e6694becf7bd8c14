"""How a script or command meets its user: options from a dataclass, errors as one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import tyro

Settings = TypeVar("Settings")


@contextmanager
def errors_as_one_line(name: str) -> Iterator[None]:
    """Turn what a user can mend (ValueError, OSError) into one line on stderr and exit code 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{name}: error: {error}\n")
        raise SystemExit(2) from None


def run_script(settings: type[Settings], main: Callable[[Settings], object]) -> None:
    """Parse the command line into ``settings`` and call ``main`` with it."""
    with errors_as_one_line(program_name()):
        main(tyro.cli(settings))


def program_name() -> str:
    """Return the name the program was called by."""
    return sys.argv[0].replace("\\", "/").rsplit("/", 1)[-1]
