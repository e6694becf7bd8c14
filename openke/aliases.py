"""Import paths of OpenKE, which names a file after each class."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class Alias(ModuleType):
    """A module under another name, imported when something is first asked of it."""

    def __init__(self, name: str, home: str) -> None:
        super().__init__(name, f"What OpenKE calls {home}.")
        self._home = home

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what looks through all modules must not import this one
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(import_module(self._home), name)


def homes_of(kinds: Iterable[type]) -> dict[str, str]:
    """Return the module of each class by the class's name."""
    return {kind.__name__: kind.__module__ for kind in kinds}


def openke_paths(package: str, homes: Mapping[str, str]) -> None:
    """Make ``from PACKAGE.CLASS import CLASS`` work; ``homes``: class -> the module that has it.

    There are no files of these names: systems that ignore case could not tell TransE.py from
    transe.py. Attributes of the package stay what they are, its classes.
    """
    for name, home in homes.items():
        path = f"{package}.{name}"
        sys.modules[path] = Alias(path, home)
