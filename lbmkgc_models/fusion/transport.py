"""Optimal transport between the numbers of two vectors, and a projection that starts from it.

Shapes: n pairs of vectors, f and g numbers of the first and the second.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from openke.kernels.product import Linear, product

ITERATIONS, TOLERANCE = 1000, 1e-9
STRENGTH = 0.1
"""Sinkhorn's regularisation is its inverse."""


@torch.no_grad()
def transport_plan(first: Tensor, second: Tensor, strength: float) -> Tensor:
    """Return the mean over pairs of the plan that moves one vector's numbers to the other's.

    Each number of ``first`` has a mass of 1 / f, each of ``second`` one of 1 / g. The plan of a
    pair is K_pq u_p v_q with these sums of rows and columns, K = exp(-strength (a_p - b_q)^2), by
    Sinkhorn's iterations. Only exp(2 strength a_p b_q) matters: what depends on p or on q alone
    goes into u and v. The first of each is found in logarithms, and all in double precision, so
    that no strength is too great.

    Parameters
    ----------
    first, second
        Float["n f"] and Float["n g"].
    strength
        Of the cost, above 0.

    Returns
    -------
    Float["f g"]

    References
    ----------
    Cuturi, Sinkhorn Distances: Lightspeed Computation of Optimal Transport, NIPS 2013.
    """
    total = torch.zeros(first.shape[1], second.shape[1], dtype=torch.double, device=first.device)
    for a, b in zip(first.double(), second.double(), strict=True):
        # Shifting all numbers of a vector changes the kernel by what u and v take up.
        total += _plan(2 * strength * torch.outer(a - a.mean(), b - b.mean()))
    return (total / max(1, len(first))).to(first.dtype)


def _plan(logits: Tensor) -> Tensor:
    """Return the plan of a kernel exp(logits), Float["f g"]."""
    f, g = logits.shape
    logits = logits - torch.logsumexp(logits, dim=1, keepdim=True) - math.log(f)
    plan = (logits - torch.logsumexp(logits, dim=0) - math.log(g)).exp()
    for _ in range(ITERATIONS):
        plan = plan / _positive(f * plan.sum(dim=1, keepdim=True))
        excess = g * plan.sum(dim=0)
        plan = plan / _positive(excess)
        # Columns fit now; rows are off by no more than columns were.
        if (excess - 1).abs().max() < TOLERANCE:
            break
    return plan


def _positive(sums: Tensor) -> Tensor:
    return sums.clamp(min=torch.finfo(sums.dtype).tiny)


class Transport(Linear):
    """The projection (plan + D) f of features, D being trained and the plan renewed.

    Parameters
    ----------
    features, dim
        Reals of a feature and of what it becomes.
    bias
        Whether something is added.
    """

    plan: Tensor

    def __init__(self, features: int, dim: int, bias: bool = False) -> None:
        super().__init__(features, dim, bias=bias)
        self.register_buffer("plan", torch.zeros(dim, features))

    @torch.no_grad()
    def renew(self, features: Tensor, rows: Tensor, *, scale: float) -> None:
        """Make the plan anew, of features (Float["n f"]) and rows that they are moved to.

        It is the mean :func:`transport_plan` for the cost scale (a - b)^2, times that cost's scale
        and the numbers of a row (Float["n dim"]).
        """
        plan = transport_plan(features, rows, STRENGTH * scale)
        self.plan.copy_(rows.shape[1] * scale * plan.T)

    def forward(self, input: Tensor) -> Tensor:
        """Return Float["... dim"] of Float["... features"]."""
        moved = product(input, self.weight + self.plan)
        return moved if self.bias is None else moved + self.bias
