"""One vector of all modalities: projections beside each other, or one projection of all features.

Shapes: u distinct entities, d reals of an entity.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import Missing
from lbmkgc_models.fusion.projection import Projectors
from openke.module.scoring.encodings import Encodings, presence


class JointProjection(Projectors, ABC):
    """Projectors whose views make one joint vector m of an entity.

    An entity that has no modality has m = s, its structural vector.
    """

    @abstractmethod
    def joint(self, views: Encodings, structural: Tensor) -> Tensor:
        """Return m, Float["u d"], of views as :meth:`.Projectors.views` and s, Float["u d"]."""


class ConcatenatedProjection(JointProjection):
    """m = [W_v v + b_v ; W_x x + b_x]: the modalities share the d reals of m evenly.

    Where an entity lacks a modality, m has the numbers of s in its place.

    Parameters
    ----------
    features, dim, tuned, missing
        See :class:`.Projectors`.

    Raises
    ------
    ValueError
        Fewer reals than modalities.
    """

    def __init__(
        self,
        features: Mapping[str, ModalFeatures],
        dim: int,
        *,
        tuned: bool = False,
        missing: Missing = "mask",
    ) -> None:
        n = len(features)
        if dim < n:
            raise ValueError(
                f"dim is {dim}, which {n} modalities ({', '.join(sorted(features))}) cannot share; "
                f"expected {n} or more"
            )
        widths = [dim // n + (place < dim % n) for place in range(n)]
        super().__init__(features, widths, hidden=False, bias=True, tuned=tuned, missing=missing)

    def joint(self, views: Encodings, structural: Tensor) -> Tensor:
        """Return m, Float["u d"]."""
        rows = torch.cat([views[name] for name in self.names], dim=1)
        widths = [views[name].shape[1] for name in self.names]
        there = torch.cat([views[presence(name)] for name in self.names], dim=1)  # [u m]
        if _known_to_be_true(there):
            return rows
        parts = [one.expand(-1, w) for one, w in zip(torch.split(there, 1, 1), widths, strict=True)]
        return torch.where(torch.cat(parts, dim=1), rows, structural)


class SummedProjection(JointProjection):
    """m = W [v ; x] + b, each modality's part of the product being a view of its own.

    A modality that an entity lacks adds nothing to its m.

    Parameters
    ----------
    features, dim, tuned, missing
        See :class:`.Projectors`.
    bias
        Whether b is there.
    tanh
        Take tanh of it.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        features: Mapping[str, ModalFeatures],
        dim: int,
        *,
        bias: bool = True,
        tanh: bool = False,
        tuned: bool = False,
        missing: Missing = "mask",
    ) -> None:
        super().__init__(features, dim, hidden=False, tuned=tuned, missing=missing)
        self.tanh = tanh
        width = sum(found.dim for found in features.values())
        for projector in self:  # starts as the one matrix W of all features would
            for weight in projector.layers.parameters():
                weight.data.mul_(math.sqrt(weight.shape[1] / width))
        bound = 1 / math.sqrt(width)
        start = nn.init.uniform_(torch.empty(dim), -bound, bound) if bias else None
        self.register_parameter("bias", None if start is None else nn.Parameter(start))

    def joint(self, views: Encodings, structural: Tensor) -> Tensor:
        """Return m, Float["u d"]."""
        there = torch.cat([views[presence(name)] for name in self.names], dim=1)  # [u m]
        parts = [views[name] for name in self.names]
        everywhere = _known_to_be_true(there)
        if len(parts) > 1 and not everywhere:
            parts = [
                torch.where(one, part, 0.0)
                for one, part in zip(torch.split(there, 1, dim=1), parts, strict=True)
            ]
        total = sum(parts[1:], start=parts[0])
        if self.bias is not None:
            total = total + self.bias
        if self.tanh:
            total = total.tanh()
        return total if everywhere else torch.where(there.any(1, keepdim=True), total, structural)


def _known_to_be_true(mask: Tensor) -> bool:
    """Return whether a mask is true everywhere; no where one would have to wait for the answer.

    That is on a GPU, and in a compiled step.
    """
    if mask.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    return bool(mask.all())
