"""Fresh embedding tables."""

from __future__ import annotations

import math

from torch import nn

from openke.runtime.values import Weight, check_value


def table(
    rows: int, dim: int, bound: float | None = None, scale: float | None = None
) -> nn.Embedding:
    """Return an embedding table [rows, dim], uniform in +-bound, by default Xavier's bound.

    With ``scale`` it is normal with that standard deviation instead.
    """
    embedding = nn.Embedding(rows, dim)
    if scale is not None:
        nn.init.normal_(embedding.weight, std=scale)
        return embedding
    limit = math.sqrt(6 / (rows + dim)) if bound is None else bound
    nn.init.uniform_(embedding.weight, -limit, limit)
    return embedding


def start_bound(owner: str, margin: float | None, epsilon: float | None, dim: int) -> float | None:
    """Return (margin + epsilon) / dim, OpenKE's bound of fresh tables; None unless both are set."""
    if margin is None or epsilon is None:
        return None
    check_value(f"{owner}: margin + epsilon", margin + epsilon, Weight)
    return (margin + epsilon) / dim
