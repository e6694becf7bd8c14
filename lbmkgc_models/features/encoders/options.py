"""Options that several encoders share: checked alike, with the same effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor
from torch.nn.functional import normalize

from lbmkgc_models.feature_store.manifest import Value


def check_pooling(pooling: str, known: Sequence[str]) -> None:
    """Raise a ValueError unless the pooling is known."""
    if pooling not in known:
        raise ValueError(f"pooling is {pooling!r}, expected one of {', '.join(known)}")


def check_max_length(max_length: int, positions: int, source: str) -> None:
    """Raise a ValueError unless a model can read so many tokens."""
    if not 3 <= max_length <= positions:
        raise ValueError(
            f"max_length is {max_length}, expected 3 to {positions}: {source} has so many "
            "positions, and two are taken by the marks of start and end"
        )


def check_dim(dim: int) -> None:
    """Raise a ValueError unless a vector can have so many reals."""
    if dim < 1:
        raise ValueError(f"dim is {dim}, expected at least 1")


def finish(vectors: Tensor, settings: Mapping[str, Value]) -> Tensor:
    """Return Float["n dim"] as encoders hand it out: float32 on the CPU, of length one if asked."""
    vectors = vectors.float()
    return (normalize(vectors, dim=1) if settings["normalised"] else vectors).cpu()


class OneSize:
    """What encoders of pictures have in common: each picture is scaled to one size."""

    limit: int | None = None

    def lengths(self, items: Sequence[object]) -> list[int]:
        """Return ones."""
        return [1] * len(items)
