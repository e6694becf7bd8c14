"""Scores of listed pairs, and their gradients, in Triton.

Gradients are summed by whoever owns the row: a program goes through the pairs of one query, or of
one candidate, which a stable sort finds. Nothing is added to one address by two programs.

Shapes: q queries, u candidates, d reals per vector, p pairs.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator"
# ruff: noqa: N803, SIM108

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from openke.kernels.compare_reference import KINDS, Sides
from openke.kernels.gpu.parts import (
    L2,
    inverse,
    inverse_modulus,
    layout,
    modulus,
    pointers,
    real_score,
    real_slope,
)

PAIRS = 4
"""Pairs that a program looks at together: their rows are fetched at the same time."""


def pairs(kind: str, sides: Sides, query_index: Tensor, candidate_index: Tensor) -> Tensor:
    """Return Float["p"], as :func:`.compare_reference.pairs`; all sides contiguous."""
    query_index, candidate_index = query_index.contiguous(), candidate_index.contiguous()
    n, code = len(query_index), KINDS.index(kind)
    out = sides.query.new_empty(n)
    width, block = layout(code, sides.query.shape[1])
    if n:
        _scores[(triton.cdiv(n, PAIRS),)](
            **pointers(sides),
            **{"query_index": query_index, "candidate_index": candidate_index, "out": out},
            **{"n": n, "width": width, "d": sides.query.shape[1]},
            **{"KIND": code, "PAIRS": PAIRS, "BLOCK": block},
        )
    return out


def pairs_backward(
    kind: str,
    sides: Sides,
    query_index: Tensor,
    candidate_index: Tensor,
    grad: Tensor,
    wanted: list[bool],
) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate; None where one is not wanted."""
    code = KINDS.index(kind)
    query_index, candidate_index = query_index.contiguous(), candidate_index.contiguous()
    grad = grad.float().contiguous()
    if code == L2:
        distance = -pairs(kind, sides.map(Tensor.float), query_index, candidate_index)
        grad = grad * inverse(distance)
    of_query = of_gate = of_table = of_modal = None
    if wanted[0] or wanted[3]:
        of_query, of_gate = _of_queries(code, sides, query_index, candidate_index, grad)
    if wanted[1] or wanted[2]:
        of_table, of_modal = _of_candidates(code, sides, query_index, candidate_index, grad)
    return [of_query, of_table, of_modal, of_gate]


def _of_queries(
    code: int, sides: Sides, query_index: Tensor, candidate_index: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of query and gate."""
    q, d = sides.query.shape
    width, block = layout(code, d)
    chunks = triton.cdiv(width, block)
    order, starts = _grouped(query_index, q)
    out = torch.empty_like(sides.query)
    blended = sides.query.new_empty(q, chunks, dtype=torch.float32)
    if q:
        _by_query[(q, chunks)](
            **pointers(sides),
            **{"candidate_index": candidate_index, "weight": weight},
            **{"order": order, "starts": starts, "out": out, "blended": blended},
            **{"width": width, "d": d, "chunks": chunks},
            **{"KIND": code, "PAIRS": PAIRS, "BLOCK": block},
        )
    return out, None if sides.gate is None else blended.sum(dim=1).to(sides.gate.dtype)


def _of_candidates(
    code: int, sides: Sides, query_index: Tensor, candidate_index: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of table and modal."""
    u, d = sides.table.shape
    width, block = layout(code, d)
    order, starts = _grouped(candidate_index, u)
    of_table = torch.empty_like(sides.table)
    of_modal = None if sides.modal is None else torch.empty_like(sides.modal)
    if u:
        _by_candidate[(u, triton.cdiv(width, block))](
            **pointers(sides),
            **{"query_index": query_index, "weight": weight, "order": order, "starts": starts},
            **{"of_table": of_table, "of_modal": of_table if of_modal is None else of_modal},
            **{"width": width, "d": d, "KIND": code, "PAIRS": PAIRS, "BLOCK": block},
        )
    return of_table, of_modal


def _grouped(index: Tensor, rows: int) -> tuple[Tensor, Tensor]:
    """Return the pairs in the order of their row, Int["p"], and where each row's begin."""
    found, order = torch.sort(index, stable=True)
    return order, torch.searchsorted(found, torch.arange(rows + 1, device=index.device))


@triton.jit
def _scores(
    query,
    table,
    modal,
    gate,
    query_index,
    candidate_index,
    out,
    n,
    width,
    d,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    PAIRS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    pair = tl.program_id(0).to(tl.int64) * PAIRS + tl.arange(0, PAIRS)
    there = pair < n
    q = tl.load(query_index + pair, mask=there, other=0)
    c = tl.load(candidate_index + pair, mask=there, other=0)
    if MODAL:
        g = tl.load(gate + q, mask=there, other=0.0).to(tl.float32)[:, None]
    total = tl.zeros([PAIRS, BLOCK], tl.float32)
    for start in range(0, width, BLOCK):
        k = start + tl.arange(0, BLOCK)
        inside = there[:, None] & (k < width)[None, :]
        of_query = q[:, None] * d + k[None, :]
        at = c[:, None] * d + k[None, :]
        a = tl.load(query + of_query, mask=inside, other=0.0).to(tl.float32)
        b = tl.load(table + at, mask=inside, other=0.0).to(tl.float32)
        if MODAL:
            m = tl.load(modal + at, mask=inside, other=0.0).to(tl.float32)
            b = m + g * (b - m)
        if KIND == 3:
            a2 = tl.load(query + of_query + width, mask=inside, other=0.0).to(tl.float32)
            b2 = tl.load(table + at + width, mask=inside, other=0.0).to(tl.float32)
            if MODAL:
                m2 = tl.load(modal + at + width, mask=inside, other=0.0).to(tl.float32)
                b2 = m2 + g * (b2 - m2)
            total += modulus(a - b, a2 - b2)
        else:
            total += real_score(a, b, KIND)
    score = tl.sum(total, axis=1)
    if KIND == 2:
        score = tl.sqrt(score)
    if KIND != 0:
        score = -score
    tl.store(out + pair, score.to(out.dtype.element_ty), mask=there)


@triton.jit
def _by_query(
    query,
    table,
    modal,
    gate,
    candidate_index,
    weight,
    order,
    starts,
    out,
    blended,
    width,
    d,
    chunks,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    PAIRS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    q = tl.program_id(0).to(tl.int64)
    chunk = tl.program_id(1)
    k = chunk * BLOCK + tl.arange(0, BLOCK)
    inside = k < width
    begin, end = tl.load(starts + q), tl.load(starts + q + 1)
    a = tl.load(query + q * d + k, mask=inside, other=0.0).to(tl.float32)[None, :]
    total = tl.zeros([BLOCK], tl.float32)
    of_gate = tl.zeros([BLOCK], tl.float32)
    if MODAL:
        g = tl.load(gate + q).to(tl.float32)
    if KIND == 3:
        a2 = tl.load(query + q * d + k + width, mask=inside, other=0.0).to(tl.float32)[None, :]
        total2 = tl.zeros([BLOCK], tl.float32)
    for first in range(begin, end, PAIRS):
        place = first + tl.arange(0, PAIRS)
        there = place < end
        pair = tl.load(order + place, mask=there, other=0)
        c = tl.load(candidate_index + pair, mask=there, other=0)
        w = tl.load(weight + pair, mask=there, other=0.0)[:, None]
        mask = there[:, None] & inside[None, :]
        at = c[:, None] * d + k[None, :]
        t = tl.load(table + at, mask=mask, other=0.0).to(tl.float32)
        b = t
        if MODAL:
            apart = t - tl.load(modal + at, mask=mask, other=0.0).to(tl.float32)
            b = t - (1.0 - g) * apart
        if KIND == 3:
            t2 = tl.load(table + at + width, mask=mask, other=0.0).to(tl.float32)
            b2 = t2
            if MODAL:
                apart2 = t2 - tl.load(modal + at + width, mask=mask, other=0.0).to(tl.float32)
                b2 = t2 - (1.0 - g) * apart2
            re, im = b - a, b2 - a2
            scale = w * inverse_modulus(re, im)
            total += tl.sum(re * scale, axis=0)
            total2 += tl.sum(im * scale, axis=0)
            if MODAL:
                of_gate -= tl.sum(scale * (re * apart + im * apart2), axis=0)
        elif KIND == 0:
            total += tl.sum(w * b, axis=0)
            if MODAL:
                of_gate += tl.sum(w * a * apart, axis=0)
        else:
            slope = w * real_slope(a, b, KIND)
            total += tl.sum(slope, axis=0)
            if MODAL:
                of_gate -= tl.sum(slope * apart, axis=0)
    tl.store(out + q * d + k, total.to(out.dtype.element_ty), mask=inside)
    if KIND == 3:
        tl.store(out + q * d + k + width, total2.to(out.dtype.element_ty), mask=inside)
    if MODAL:
        tl.store(blended + q * chunks + chunk, tl.sum(tl.where(inside, of_gate, 0.0), axis=0))


@triton.jit
def _by_candidate(
    query,
    table,
    modal,
    gate,
    query_index,
    weight,
    order,
    starts,
    of_table,
    of_modal,
    width,
    d,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    PAIRS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    c = tl.program_id(0).to(tl.int64)
    k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = k < width
    begin, end = tl.load(starts + c), tl.load(starts + c + 1)
    at = c * d + k
    t = tl.load(table + at, mask=inside, other=0.0).to(tl.float32)[None, :]
    by_table = tl.zeros([BLOCK], tl.float32)
    by_modal = tl.zeros([BLOCK], tl.float32)
    if MODAL:
        m = tl.load(modal + at, mask=inside, other=0.0).to(tl.float32)[None, :]
    if KIND == 3:
        t2 = tl.load(table + at + width, mask=inside, other=0.0).to(tl.float32)[None, :]
        by_table2 = tl.zeros([BLOCK], tl.float32)
        by_modal2 = tl.zeros([BLOCK], tl.float32)
        if MODAL:
            m2 = tl.load(modal + at + width, mask=inside, other=0.0).to(tl.float32)[None, :]
    for first in range(begin, end, PAIRS):
        place = first + tl.arange(0, PAIRS)
        there = place < end
        pair = tl.load(order + place, mask=there, other=0)
        q = tl.load(query_index + pair, mask=there, other=0)
        w = tl.load(weight + pair, mask=there, other=0.0)[:, None]
        mask = there[:, None] & inside[None, :]
        of_query = q[:, None] * d + k[None, :]
        a = tl.load(query + of_query, mask=mask, other=0.0).to(tl.float32)
        if MODAL:
            g = tl.load(gate + q, mask=there, other=0.0).to(tl.float32)[:, None]
            b = m + g * (t - m)
        else:
            b = t
        if KIND == 3:
            a2 = tl.load(query + of_query + width, mask=mask, other=0.0).to(tl.float32)
            if MODAL:
                b2 = m2 + g * (t2 - m2)
            else:
                b2 = t2
            re, im = a - b, a2 - b2
            scale = w * inverse_modulus(re, im)
            slope, slope2 = re * scale, im * scale
            if MODAL:
                by_table2 += tl.sum(g * slope2, axis=0)
                by_modal2 += tl.sum((1.0 - g) * slope2, axis=0)
            else:
                by_table2 += tl.sum(slope2, axis=0)
        elif KIND == 0:
            slope = w * a
        else:
            slope = -w * real_slope(a, b, KIND)
        if MODAL:
            by_table += tl.sum(g * slope, axis=0)
            by_modal += tl.sum((1.0 - g) * slope, axis=0)
        else:
            by_table += tl.sum(slope, axis=0)
    tl.store(of_table + at, by_table.to(of_table.dtype.element_ty), mask=inside)
    if MODAL:
        tl.store(of_modal + at, by_modal.to(of_modal.dtype.element_ty), mask=inside)
    if KIND == 3:
        tl.store(of_table + at + width, by_table2.to(of_table.dtype.element_ty), mask=inside)
        if MODAL:
            tl.store(of_modal + at + width, by_modal2.to(of_modal.dtype.element_ty), mask=inside)
