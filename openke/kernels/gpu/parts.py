"""What the Triton kernels of pairs and of all candidates share.

A complex vector is two of them, real parts first: ``width`` coordinates each; else ``width`` is d.
"""

# Triton reads the arguments of a kernel by its own rules, which mypy does not know.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"

from __future__ import annotations

from typing import Any

import triton
import triton.language as tl
from torch import Tensor

from openke.kernels.compare_reference import Sides

DOT, L1, L2, COMPLEX = range(4)
"""Kinds, in the order of :data:`.KINDS`."""
BLOCK = 256
"""The most coordinates that a program holds at a time."""


@triton.jit
def real_score(a, b, KIND: tl.constexpr):  # noqa: N803
    """Return a coordinate's part of a score, before its root and its sign."""
    if KIND == 0:
        part = a * b
    elif KIND == 1:
        part = tl.abs(a - b)
    else:
        part = (a - b) * (a - b)
    return part


@triton.jit
def modulus(re, im):
    """Return |re + i im|."""
    return tl.sqrt(re * re + im * im)


@triton.jit
def inverse_modulus(re, im):
    """Return 1 / |re + i im|, and 0 for 0."""
    square = re * re + im * im
    return tl.where(square > 0, tl.rsqrt(square), 0.0)


@triton.jit
def real_slope(a, b, KIND: tl.constexpr):  # noqa: N803
    """Return d score / d query, but for its weight; minus that is d score / d candidate.

    Of "l2" the weight has the inverse of the distance already. A dot product has its own slopes.
    """
    difference = b - a
    if KIND == 1:
        difference = tl.where(difference > 0, 1.0, tl.where(difference < 0, -1.0, 0.0))
    return difference


def layout(kind: int, d: int) -> tuple[int, int]:
    """Return the width of vectors of d reals, and the size of the blocks it is divided into."""
    width = d // 2 if kind == COMPLEX else d
    return width, min(BLOCK, max(16, triton.next_power_of_2(width)))


def pointers(sides: Sides) -> dict[str, Any]:
    """Return the sides as a kernel's arguments; where there is no blend, others stand there."""
    modal, gate = sides.modal, sides.gate
    return {
        "query": sides.query,
        "table": sides.table,
        "modal": sides.table if modal is None else modal,
        "gate": sides.query if gate is None else gate,
        "MODAL": modal is not None,
    }


def inverse(distance: Tensor) -> Tensor:
    """Return 1 / distance, and 0 for 0."""
    return (1 / distance).masked_fill_(distance == 0, 0.0)
