"""What every encoder offers, whatever it encodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from torch import Tensor

from lbmkgc_models.manifest import Value

Item = TypeVar("Item", contravariant=True)


class Encoder(Protocol[Item]):
    """Turns items (texts: str; pictures) into vectors, one each, independent of one another.

    Attributes
    ----------
    name
        Id for the manifest: a Hub id, a folder, the name of a packaged encoder.
    revision
        Version of the weights: a commit, or the checksum of the weights file.
    settings
        Every option that changes the vectors.
    dim
        Reals of a vector.
    limit
        The most units of an item that are read (tokens of a text); None for no limit.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def revision(self) -> str: ...  # noqa: D102
    @property
    def settings(self) -> Mapping[str, Value]: ...  # noqa: D102
    @property
    def dim(self) -> int: ...  # noqa: D102
    @property
    def limit(self) -> int | None: ...  # noqa: D102

    def lengths(self, items: Sequence[Item]) -> list[int]:
        """Return the whole length of each item in units of ``limit``; equal ones batch well."""

    def encode(self, items: Sequence[Item]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""
