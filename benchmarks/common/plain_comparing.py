"""Scores as a comparison of two vectors: what is known of a triple, and the entity asked for.

All broadcast. d reals per vector; of complex ones the real parts stand first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from openke.data.batch import Side

Query = Callable[[Tensor, Tensor, Side], Tensor]
"""From an entity and a relation, Float["… d"] each, to what is compared with the asked entity."""
Compare = Callable[[Tensor, Tensor], Tensor]
"""From a query and an entity, Float["… d"] each, to the score Float["…"]."""


def moved(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return h + r, or t - r where heads are asked."""
    return anchor + relation if side == "tail" else anchor - relation


def scaled(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return h * r, or t * r."""
    return anchor * relation


def multiplied(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return what the score of ComplEx is the product of an entity with."""
    (a1, a2), (r1, r2) = (x.chunk(2, dim=-1) for x in (anchor, relation))
    if side == "head":
        r2 = -r2
    return torch.cat([a1 * r1 - a2 * r2, a1 * r2 + a2 * r1], dim=-1)


def turned(anchor: Tensor, phase: Tensor, side: Side) -> Tensor:
    """Return h turned by the phases, or t turned back, which is as far from each head."""
    turn = torch.cat([phase.cos(), phase.sin()], dim=-1)
    return multiplied(anchor, turn, side)


def product(query: Tensor, entity: Tensor) -> Tensor:
    """Return the inner product."""
    return (query * entity).sum(dim=-1)


def distance(query: Tensor, entity: Tensor) -> Tensor:
    """Return minus the L1 distance."""
    return -(query - entity).abs().sum(dim=-1)


def complex_distance(query: Tensor, entity: Tensor) -> Tensor:
    """Return minus the sum of complex distances."""
    real, imaginary = (a - b for a, b in zip(query.chunk(2, -1), entity.chunk(2, -1), strict=True))
    # Several times faster than a norm over a stacked axis; the clamp keeps gradients finite.
    return -(real * real + imaginary * imaginary).clamp_min(1e-24).sqrt().sum(dim=-1)


WAYS: Mapping[str, tuple[Query, Compare]] = {
    "TransE": (moved, distance),
    "DistMult": (scaled, product),
    "ComplEx": (multiplied, product),
    "RotatE": (turned, complex_distance),
    "LBMKGC": (turned, complex_distance),
}
