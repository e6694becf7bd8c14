"""Several encoders of the same items: their vectors side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic

import torch
from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value
from lbmkgc_models.features.encoders.protocol import Encoder, Item, Unfitted, fitted

Parts = Sequence[Encoder[Item] | Unfitted[Item]]


class Joined(Generic[Item]):
    """Encoders that are ready, as one :class:`.Encoder`.

    What is cut and how items batch is up to the first part that reads no more than a limit.

    Parameters
    ----------
    parts
        At least one.
    """

    def __init__(self, parts: Sequence[Encoder[Item]]) -> None:
        self._parts = parts
        self.name, self.revision, self.settings = _about(parts)
        self.dim = sum(part.dim for part in parts)
        limited = [part for part in parts if part.limit is not None]
        self._measure = (limited or list(parts))[0]
        self.limit = self._measure.limit

    def lengths(self, items: Sequence[Item]) -> list[int]:
        """Return the length of each item in units of ``limit``."""
        return self._measure.lengths(items)

    def encode(self, items: Sequence[Item]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
        return torch.cat([part.encode(items) for part in self._parts], dim=1)


class UnfittedJoined(Generic[Item]):
    """Encoders of which some learn from the items; see :class:`Joined`."""

    def __init__(self, parts: Parts[Item]) -> None:
        self._parts = parts
        self.name, self.revision, self.settings = _about(parts)

    def fit(self, items: Iterable[Item]) -> Joined[Item]:
        """Return the parts fitted; see Unfitted."""
        every = list(items)
        return Joined([fitted(part, every) for part in self._parts])


def _about(parts: Sequence[Any]) -> tuple[str, str, Mapping[str, Value]]:
    """Return name, revision and settings of parts together."""
    names = [part.name for part in parts]
    settings = {
        f"{part.name}.{option}": value for part in parts for option, value in part.settings.items()
    }
    return "+".join(names), "+".join(part.revision for part in parts), settings
