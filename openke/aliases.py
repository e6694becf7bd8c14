"""Import paths that lead elsewhere: OpenKE's, and those of earlier releases of this package."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

Renamed = Mapping[str, str]
"""Name of old -> name of today."""


class Alias(ModuleType):
    """A module under another name, imported when something is first asked of it.

    Parameters
    ----------
    name
        The path that leads here.
    home
        The module that has what is asked for.
    renamed
        What has another name there.
    deprecated
        Warn whoever asks, and name the path of today.
    """

    def __init__(
        self, name: str, home: str, renamed: Renamed | None = None, *, deprecated: bool = False
    ) -> None:
        super().__init__(name, f"Another path of {home}.")
        self._home = home
        self._renamed = dict(renamed or {})
        self._deprecated = deprecated

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what looks through all modules must not import this one
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        today = self._renamed.get(name, name)
        home, _, inner = today.rpartition(".")
        found = getattr(import_module(home or self._home), inner)
        if self._deprecated:
            warn_of(f"{self.__name__}.{name}", f"{home or self._home}.{inner}", stacklevel=3)
        return found


def homes_of(kinds: Iterable[type]) -> dict[str, str]:
    """Return the module of each class by the class's name."""
    return {kind.__name__: kind.__module__ for kind in kinds}


def openke_paths(package: str, homes: Renamed) -> None:
    """Make ``from PACKAGE.CLASS import CLASS`` work; ``homes``: class -> the module that has it.

    There are no files of these names: systems that ignore case could not tell TransE.py from
    transe.py. Attributes of the package stay what they are, its classes.
    """
    for name, home in homes.items():
        path = f"{package}.{name}"
        sys.modules[path] = Alias(path, home)


def former_paths(homes: Renamed, renamed: Renamed | None = None) -> None:
    """Make modules of earlier releases importable, with a ``DeprecationWarning``.

    Parameters
    ----------
    homes
        Path of old -> module of today.
    renamed
        Names that changed, too, or moved on: ``{"Old": "New"}`` or ``{"Old": "module.New"}``.
    """
    for path, home in homes.items():
        sys.modules[path] = Alias(path, home, renamed, deprecated=True)


def warn_of(old: str, new: str, stacklevel: int) -> None:
    """Give the ``DeprecationWarning`` of something that has another name today."""
    warnings.warn(f"{old} is now {new}", DeprecationWarning, stacklevel=stacklevel + 1)
