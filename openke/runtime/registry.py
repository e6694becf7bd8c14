"""Things by name: a package's own, and those that other packages offer by entry points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Any, TypeVar

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Own entries first, then the entry points of a group; one of these is loaded when asked for.

    Parameters
    ----------
    own
        Entries of this package.
    group
        Name of the group of entry points, such as ``openke.losses``.

    Raises
    ------
    ValueError
        An entry of another package is looked up and cannot be loaded.
    """

    def __init__(self, own: Mapping[str, T], group: str) -> None:
        self.own = own
        self.group = group

    def __getitem__(self, name: str) -> T:
        if name in self.own:
            return self.own[name]
        entry = self._others()[name]
        try:
            found: T = entry.load()
        except Exception as error:  # whatever the import of another package's module raises
            raise ValueError(
                f"{name!r} of {self.package_of(name)}, an entry point of {self.group}, cannot be "
                f"loaded: {type(error).__name__}: {error}"
            ) from error
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.own or name in self._others()

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.own), **dict.fromkeys(self._others())})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def package_of(self, name: str) -> str:
        """Return which other package offers an entry; "" for one of this package."""
        if name in self.own:
            return ""
        home = self._others()[name]
        return str(home.dist.name if home.dist else home.module.partition(".")[0])

    def _others(self) -> dict[str, Any]:
        return {entry.name: entry for entry in entry_points(group=self.group)}
