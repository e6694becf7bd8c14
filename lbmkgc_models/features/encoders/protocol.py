"""What every encoder offers, whatever it encodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from lbmkgc_models.feature_store.manifest import Value

Item = TypeVar("Item", contravariant=True)


class Described(Protocol):
    """What a manifest says of an encoder.

    Attributes
    ----------
    name
        Id for the manifest: a Hub id, a folder, the name of a packaged encoder.
    revision
        Version of the weights: a commit, or the checksum of the weights file; of what was learnt,
        where an encoder learns from the data set; "" before that.
    settings
        Every option that changes the vectors.
    """

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def revision(self) -> str: ...  # noqa: D102
    @property
    def settings(self) -> Mapping[str, Value]: ...  # noqa: D102


class Encoder(Described, Protocol[Item]):
    """Turns items (texts: str; pictures: PIL images) into vectors, each independent of the others.

    Attributes
    ----------
    dim
        Reals of a vector.
    limit
        The most units of an item that are read (tokens of a text); None for no limit.
    """

    @property
    def dim(self) -> int: ...  # noqa: D102
    @property
    def limit(self) -> int | None: ...  # noqa: D102

    def lengths(self, items: Sequence[Item]) -> list[int]:
        """Return the whole length of each item in units of ``limit``; equal ones batch well."""

    def encode(self, items: Sequence[Item]) -> Tensor:
        """Return Float["n dim"], float32 on the CPU."""


@runtime_checkable
class PatchEncoder(Protocol):
    """An encoder of pictures that sees them in patches."""

    def patches(self, items: Sequence[Any]) -> Tensor:
        """Return Float["n patches f"] of pictures, float32 on the CPU, before any pooling."""


@runtime_checkable
class Unfitted(Described, Protocol[Item]):
    """An encoder without weights of its own: it learns them from the items of a data set."""

    def fit(self, items: Iterable[Item]) -> Encoder[Item]:
        """Return an encoder made for these items; the same items make the same encoder.

        Raises
        ------
        ValueError
            Too few items, or too much alike.
        """


def fitted(encoder: Encoder[Item] | Unfitted[Item], items: Iterable[Item]) -> Encoder[Item]:
    """Return an encoder that is ready: fitted to ``items`` if it needs that, else as it is."""
    return encoder.fit(items) if isinstance(encoder, Unfitted) else encoder
