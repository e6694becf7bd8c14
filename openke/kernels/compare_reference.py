"""The score kernels in plain PyTorch, for any device and floating type.

The C++ kernels are held to these functions. Work goes in chunks, so that no temporary of size
[p, d] or [q, u, d] is made, and half-precision types are summed in float32.

Shapes: q queries, u candidates, d reals per vector, p pairs, c pairs of a chunk.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

Kind = Literal["dot", "l1", "l2", "complex"]
KINDS: tuple[Kind, ...] = ("dot", "l1", "l2", "complex")

CHUNK = 1 << 22
"""Reals of a temporary: 16 MiB in float32."""


class Sides(NamedTuple):
    """What is compared. ``modal`` and ``gate`` come together or not at all."""

    query: Tensor
    """Float["q d"]"""
    table: Tensor
    """Float["u d"]"""
    modal: Tensor | None
    """Float["u d"]"""
    gate: Tensor | None
    """Float["q"]"""

    def map(self, function: Callable[[Tensor], Tensor]) -> "Sides":
        """Return the sides with a function applied to each tensor there is."""
        modal = None if self.modal is None else function(self.modal)
        gate = None if self.gate is None else function(self.gate)
        return Sides(function(self.query), function(self.table), modal, gate)


def pairs(kind: str, sides: Sides, query_index: Tensor, candidate_index: Tensor) -> Tensor:
    """Return Float["p"], query ``query_index[i]`` against candidate ``candidate_index[i]``."""
    out = sides.query.new_empty(query_index.shape[0])
    for part in _parts(query_index.shape[0], sides.query.shape[1]):
        chosen = _choose(sides, query_index[part], candidate_index[part])
        out[part] = _score(kind, chosen.query, _candidate(chosen))
    return out


def pairs_backward(
    kind: str, sides: Sides, query_index: Tensor, candidate_index: Tensor, grad: Tensor
) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate for ``grad``, Float["p"]."""
    sums = _zeros(sides)
    for part in _parts(query_index.shape[0], sides.query.shape[1]):
        q, c = query_index[part], candidate_index[part]
        each = _gradients(kind, _choose(sides, q, c), grad[part])
        for total, index, gradient in zip(sums, (q, c, c, q), each, strict=True):
            if total is not None and gradient is not None:
                total.index_add_(0, index, gradient)
    return _as_inputs(sums, sides)


def every(kind: str, sides: Sides) -> Tensor:
    """Return Float["q u"], every query against every candidate."""
    out = sides.query.new_empty(sides.query.shape[0], sides.table.shape[0])
    for rows, columns in _blocks(sides):
        block = _block(sides, rows, columns)
        out[rows, columns] = _score(kind, block.query, _candidate(block))
    return out


def every_backward(kind: str, sides: Sides, grad: Tensor) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate for ``grad``, Float["q u"]."""
    sums = _zeros(sides)
    for rows, columns in _blocks(sides):
        block = _block(sides, rows, columns)
        each = _gradients(kind, block, grad[rows, columns])
        # Sums over the candidates for query and gate, over the queries for table and modal.
        for total, part, dim, gradient in zip(
            sums, (rows, columns, columns, rows), (1, 0, 0, 1), each, strict=True
        ):
            if total is not None and gradient is not None:
                total[part] += gradient.sum(dim)
    return _as_inputs(sums, sides)


def _score(kind: str, query: Tensor, candidate: Tensor) -> Tensor:
    if kind == "dot":
        return (query * candidate).sum(-1)
    difference = query - candidate
    if kind == "l1":
        return -difference.abs().sum(-1)
    if kind == "l2":
        return -difference.square().sum(-1).sqrt()
    real, imaginary = difference.chunk(2, dim=-1)
    return -(real.square() + imaginary.square()).sqrt().sum(-1)


def _slopes(kind: str, query: Tensor, candidate: Tensor) -> tuple[Tensor, Tensor]:
    """Return d score / d query and d score / d candidate; zero where a distance is zero."""
    if kind == "dot":
        return candidate, query
    difference = candidate - query
    if kind == "l1":
        slope = difference.sign()
    elif kind == "l2":
        slope = difference * _inverse(difference.square().sum(-1, keepdim=True).sqrt())
    else:
        real, imaginary = difference.chunk(2, dim=-1)
        inverse = _inverse((real.square() + imaginary.square()).sqrt())
        slope = torch.cat([real * inverse, imaginary * inverse], dim=-1)
    return slope, -slope


def _inverse(distance: Tensor) -> Tensor:
    return torch.where(distance > 0, 1 / distance, 0)


def _candidate(sides: Sides) -> Tensor:
    if sides.modal is None or sides.gate is None:
        return sides.table
    gate = sides.gate[..., None]
    return gate * sides.table + (1 - gate) * sides.modal


def _gradients(kind: str, sides: Sides, grad: Tensor) -> list[Tensor | None]:
    by_query, by_candidate = _slopes(kind, sides.query, _candidate(sides))
    by_query = grad[..., None] * by_query
    by_candidate = grad[..., None] * by_candidate
    if sides.modal is None or sides.gate is None:
        return [by_query, by_candidate, None, None]
    gate = sides.gate[..., None]
    by_gate = (by_candidate * (sides.table - sides.modal)).sum(-1)
    return [by_query, gate * by_candidate, (1 - gate) * by_candidate, by_gate]


def _wide(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor


def _choose(sides: Sides, q: Tensor, c: Tensor) -> Sides:
    """Return the rows of c pairs: Float["c d"] each, and the gates Float["c"]."""
    query, table, modal, gate = sides
    modal = None if modal is None else modal[c]
    gate = None if gate is None else gate[q]
    return Sides(query[q], table[c], modal, gate).map(_wide)


def _block(sides: Sides, rows: slice, columns: slice) -> Sides:
    """Return rows of queries and columns of candidates, shaped to meet in [rows, columns, d]."""
    query, table, modal, gate = sides
    modal = None if modal is None else modal[None, columns]
    gate = None if gate is None else gate[rows, None]
    return Sides(query[rows, None], table[None, columns], modal, gate).map(_wide)


def _parts(n: int, dim: int) -> Iterator[slice]:
    size = max(1, CHUNK // max(1, dim))
    for begin in range(0, n, size):
        yield slice(begin, min(n, begin + size))


def _blocks(sides: Sides) -> Iterator[tuple[slice, slice]]:
    dim = max(1, sides.query.shape[1])
    for columns in _parts(sides.table.shape[0], 16 * dim):
        width = columns.stop - columns.start
        for rows in _parts(sides.query.shape[0], width * dim):
            yield rows, columns


def _zeros(sides: Sides) -> list[Tensor | None]:
    return [None if x is None else torch.zeros_like(_wide(x)) for x in sides]


def _as_inputs(sums: list[Tensor | None], sides: Sides) -> list[Tensor | None]:
    return [
        None if total is None or x is None else total.to(x.dtype)
        for total, x in zip(sums, sides, strict=True)
    ]
