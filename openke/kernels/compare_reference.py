"""The score kernels in plain PyTorch, for any device and floating type.

The C++ kernels are held to these functions. Work goes in chunks, so that no temporary of size
[p, d] or [q, u, d] is made, and half-precision types are summed in float32. What is done with a
chunk is compiled on GPUs (:mod:`openke.kernels.compiled`), and nothing waits for a device.

Shapes: q queries, u candidates, d reals per vector, p pairs, c pairs of a chunk.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from openke.kernels.compiled import chunk_reals, compiled

Kind = Literal["dot", "l1", "l2", "complex"]
KINDS: tuple[Kind, ...] = ("dot", "l1", "l2", "complex")


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
    for part in _parts(query_index.shape[0], sides.query):
        out[part] = _pair_scores(*sides, query_index[part], candidate_index[part], kind)
    return out


def pairs_backward(
    kind: str, sides: Sides, query_index: Tensor, candidate_index: Tensor, grad: Tensor
) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate for ``grad``, Float["p"]."""
    sums = _zeros(sides)
    for part in _parts(query_index.shape[0], sides.query):
        q, c = query_index[part], candidate_index[part]
        each = _pair_slopes(*sides, q, c, grad[part], kind)
        for total, index, slope in zip(sums, (q, c, c, q), each, strict=True):
            if total is not None and slope is not None:
                total.index_add_(0, index, slope)
    return _as_inputs(sums, sides)


def every(kind: str, sides: Sides) -> Tensor:
    """Return Float["q u"], every query against every candidate."""
    out = sides.query.new_empty(sides.query.shape[0], sides.table.shape[0])
    for rows, columns in _blocks(sides):
        out[rows, columns] = _block_scores(*_block(sides, rows, columns), kind)
    return out


def every_backward(kind: str, sides: Sides, grad: Tensor) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate for ``grad``, Float["q u"]."""
    sums = _zeros(sides)
    for rows, columns in _blocks(sides):
        each = _block_slopes(*_block(sides, rows, columns), grad[rows, columns], kind)
        for total, part, slope in zip(sums, (rows, columns, columns, rows), each, strict=True):
            if total is not None and slope is not None:
                total[part] += slope
    return _as_inputs(sums, sides)


# ---- what is done with a chunk ------------------------------------------------------------------


@compiled
def _pair_scores(
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    query_index: Tensor,
    candidate_index: Tensor,
    kind: str,
) -> Tensor:
    """Return Float["c"] of c pairs."""
    chosen = _choose(Sides(query, table, modal, gate), query_index, candidate_index)
    return _score(kind, chosen.query, _candidate(chosen))


@compiled
def _pair_slopes(
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    query_index: Tensor,
    candidate_index: Tensor,
    grad: Tensor,
    kind: str,
) -> list[Tensor | None]:
    """Return each pair's gradients, Float["c d"] three times and Float["c"]."""
    chosen = _choose(Sides(query, table, modal, gate), query_index, candidate_index)
    return _gradients(kind, chosen, grad)


@compiled
def _block_scores(
    query: Tensor, table: Tensor, modal: Tensor | None, gate: Tensor | None, kind: str
) -> Tensor:
    """Return Float["q u"] of a block."""
    block = _meeting(Sides(query, table, modal, gate))
    return _score(kind, block.query, _candidate(block))


@compiled
def _block_slopes(
    query: Tensor,
    table: Tensor,
    modal: Tensor | None,
    gate: Tensor | None,
    grad: Tensor,
    kind: str,
) -> list[Tensor | None]:
    """Return the block's gradients, summed: the shapes of its sides."""
    each = _gradients(kind, _meeting(Sides(query, table, modal, gate)), grad)
    # Over the candidates for query and gate, over the queries for table and modal.
    return [
        None if slope is None else slope.sum(dim)
        for slope, dim in zip(each, (1, 0, 0, 1), strict=True)
    ]


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
    """Return rows of queries and columns of candidates."""
    query, table, modal, gate = sides
    modal = None if modal is None else modal[columns]
    gate = None if gate is None else gate[rows]
    return Sides(query[rows], table[columns], modal, gate)


def _meeting(block: Sides) -> Sides:
    """Return a block's sides shaped to meet in [q, u, d]."""
    query, table, modal, gate = block.map(_wide)
    modal = None if modal is None else modal[None]
    gate = None if gate is None else gate[:, None]
    return Sides(query[:, None], table[None], modal, gate)


def _parts(n: int, query: Tensor, width: int = 1) -> Iterator[slice]:
    """Divide n rows, each of which makes ``width`` vectors."""
    size = max(1, chunk_reals(query.device) // max(1, width * query.shape[1]))
    for begin in range(0, n, size):
        yield slice(begin, min(n, begin + size))


def _blocks(sides: Sides) -> Iterator[tuple[slice, slice]]:
    for columns in _parts(sides.table.shape[0], sides.query, width=16):
        for rows in _parts(sides.query.shape[0], sides.query, columns.stop - columns.start):
            yield rows, columns


def _zeros(sides: Sides) -> list[Tensor | None]:
    return [None if x is None else torch.zeros_like(_wide(x)) for x in sides]


def _as_inputs(sums: list[Tensor | None], sides: Sides) -> list[Tensor | None]:
    return [
        None if total is None or x is None else total.to(x.dtype)
        for total, x in zip(sums, sides, strict=True)
    ]
