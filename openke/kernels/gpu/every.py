"""Scores of every query against every candidate, and their gradients, in Triton.

A program has a tile of scores, or of a gradient, in registers and goes once over what it sums.

Shapes: q queries, u candidates, d reals per vector.
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

TILE = 64
"""Queries and candidates of a tile of scores."""
ROWS, COORDINATES = 16, 64
"""Rows and coordinates of a tile of a gradient."""
PROGRAMS = 1024
"""Programs that keep a GPU busy: a gradient of few rows is summed in several parts."""


def every(kind: str, sides: Sides) -> Tensor:
    """Return Float["q u"], as :func:`.compare_reference.every`; all sides contiguous."""
    code = KINDS.index(kind)
    (q, d), u = sides.query.shape, len(sides.table)
    out = sides.query.new_empty(q, u)
    if out.numel():
        # Coordinate by coordinate, a tile reads numbers that stand beside each other.
        turned = Sides(
            sides.query.T.contiguous(),
            sides.table.T.contiguous(),
            None if sides.modal is None else sides.modal.T.contiguous(),
            sides.gate,
        )
        width = layout(code, d)[0]
        _scores[(triton.cdiv(u, TILE), triton.cdiv(q, TILE))](
            **pointers(turned),
            **{"out": out, "q": q, "u": u, "width": width},
            **{"query_half": width * q, "table_half": width * u},
            **{"KIND": code, "ROWS": TILE, "COLUMNS": TILE},
        )
    return out


def every_backward(
    kind: str, sides: Sides, grad: Tensor, wanted: list[bool]
) -> list[Tensor | None]:
    """Return the gradients of query, table, modal and gate; None where one is not wanted."""
    code = KINDS.index(kind)
    grad = grad.float()
    if code == L2:
        grad = grad * inverse(-every(kind, sides.map(Tensor.float)))
    grad = grad.contiguous()
    of_query = of_gate = of_table = of_modal = None
    if wanted[0] or wanted[3]:
        of_query, of_gate = _of_queries(code, sides, grad)
    if wanted[1] or wanted[2]:
        of_table, of_modal = _of_candidates(code, sides, grad)
    return [of_query, of_table, of_modal, of_gate]


def _of_queries(code: int, sides: Sides, weight: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of query and gate."""
    (q, d), u = sides.query.shape, len(sides.table)
    width = layout(code, d)[0]
    tiles, chunks = triton.cdiv(q, ROWS), triton.cdiv(width, COORDINATES)
    parts = max(1, min(PROGRAMS // max(1, tiles * chunks), triton.cdiv(u, 256)))
    out = sides.query.new_zeros(parts, q, d, dtype=torch.float32)
    blended = out.new_zeros(parts, chunks, q)
    if q and u:
        _by_query[(tiles, chunks, parts)](
            **pointers(sides),
            **{"weight": weight, "out": out, "blended": blended},
            **{"q": q, "u": u, "width": width, "d": d, "size": triton.cdiv(u, parts)},
            **{"KIND": code, "ROWS": ROWS, "BLOCK": COORDINATES},
        )
    gate = None if sides.gate is None else blended.sum(dim=(0, 1)).to(sides.gate.dtype)
    return out.sum(dim=0).to(sides.query.dtype), gate


def _of_candidates(code: int, sides: Sides, weight: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the gradients of table and modal."""
    (q, d), u = sides.query.shape, len(sides.table)
    width = layout(code, d)[0]
    of_table = torch.empty_like(sides.table)
    of_modal = None if sides.modal is None else torch.empty_like(sides.modal)
    if u:
        _by_candidate[(triton.cdiv(u, ROWS), triton.cdiv(width, COORDINATES))](
            **pointers(sides),
            **{"weight": weight, "of_table": of_table},
            **{"of_modal": of_table if of_modal is None else of_modal},
            **{"q": q, "u": u, "width": width, "d": d},
            **{"KIND": code, "ROWS": ROWS, "BLOCK": COORDINATES},
        )
    return of_table, of_modal


@triton.jit
def _scores(
    query,
    table,
    modal,
    gate,
    out,
    q,
    u,
    width,
    query_half,
    table_half,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    row = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    column = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    of_rows, of_columns = row < q, column < u
    total = tl.zeros([ROWS, COLUMNS], tl.float32)
    if MODAL:
        g = tl.load(gate + row, mask=of_rows, other=0.0).to(tl.float32)[:, None]
    from_query, from_table = query + row, table + column
    from_modal = modal + column
    for _ in range(0, width):
        a = tl.load(from_query, mask=of_rows, other=0.0).to(tl.float32)[:, None]
        b = tl.load(from_table, mask=of_columns, other=0.0).to(tl.float32)[None, :]
        if MODAL:
            m = tl.load(from_modal, mask=of_columns, other=0.0).to(tl.float32)[None, :]
            b = m + g * (b - m)
        if KIND == 3:
            a2 = tl.load(from_query + query_half, mask=of_rows, other=0.0)
            b2 = tl.load(from_table + table_half, mask=of_columns, other=0.0)
            b2 = b2.to(tl.float32)[None, :]
            if MODAL:
                m2 = tl.load(from_modal + table_half, mask=of_columns, other=0.0)
                m2 = m2.to(tl.float32)[None, :]
                b2 = m2 + g * (b2 - m2)
            total += modulus(a - b, a2.to(tl.float32)[:, None] - b2)
        else:
            total += real_score(a, b, KIND)
        from_query += q
        from_table += u
        from_modal += u
    if KIND == 2:
        total = tl.sqrt(total)
    if KIND != 0:
        total = -total
    at = row.to(tl.int64)[:, None] * u + column[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=of_rows[:, None] & of_columns[None, :])


@triton.jit
def _by_query(
    query,
    table,
    modal,
    gate,
    weight,
    out,
    blended,
    q,
    u,
    width,
    d,
    size,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    chunk, part = tl.program_id(1), tl.program_id(2)
    k = chunk * BLOCK + tl.arange(0, BLOCK)
    of_rows, inside = row < q, k < width
    mask = of_rows[:, None] & inside[None, :]
    at = row.to(tl.int64)[:, None] * d + k[None, :]
    a = tl.load(query + at, mask=mask, other=0.0).to(tl.float32)
    total = tl.zeros([ROWS, BLOCK], tl.float32)
    of_gate = tl.zeros([ROWS, BLOCK], tl.float32)
    if MODAL:
        g = tl.load(gate + row, mask=of_rows, other=0.0).to(tl.float32)[:, None]
    if KIND == 3:
        a2 = tl.load(query + at + width, mask=mask, other=0.0).to(tl.float32)
        total2 = tl.zeros([ROWS, BLOCK], tl.float32)
    first = part * size
    last = tl.minimum(first + size, u)
    from_weight = weight + row.to(tl.int64) * u + first
    from_table = first.to(tl.int64) * d + k
    for _ in range(first, last):
        w = tl.load(from_weight, mask=of_rows, other=0.0)[:, None]
        t = tl.load(table + from_table, mask=inside, other=0.0).to(tl.float32)[None, :]
        if MODAL:
            m = tl.load(modal + from_table, mask=inside, other=0.0).to(tl.float32)[None, :]
            b = m + g * (t - m)
        else:
            b = t
        if KIND == 3:
            t2 = tl.load(table + from_table + width, mask=inside, other=0.0)
            t2 = t2.to(tl.float32)[None, :]
            if MODAL:
                m2 = tl.load(modal + from_table + width, mask=inside, other=0.0)
                m2 = m2.to(tl.float32)[None, :]
                b2 = m2 + g * (t2 - m2)
            else:
                b2 = t2
            re, im = b - a, b2 - a2
            scale = w * inverse_modulus(re, im)
            total += re * scale
            total2 += im * scale
            if MODAL:
                of_gate -= scale * (re * (t - m) + im * (t2 - m2))
        elif KIND == 0:
            total += w * b
            if MODAL:
                of_gate += w * a * (t - m)
        else:
            slope = w * real_slope(a, b, KIND)
            total += slope
            if MODAL:
                of_gate -= slope * (t - m)
        from_weight += 1
        from_table += d
    to = part.to(tl.int64) * q * d + at
    tl.store(out + to, total, mask=mask)
    if KIND == 3:
        tl.store(out + to + width, total2, mask=mask)
    if MODAL:
        summed = tl.sum(tl.where(mask, of_gate, 0.0), axis=1)
        chunks = tl.num_programs(1)
        tl.store(blended + (part * chunks + chunk) * q + row, summed, mask=of_rows)


@triton.jit
def _by_candidate(
    query,
    table,
    modal,
    gate,
    weight,
    of_table,
    of_modal,
    q,
    u,
    width,
    d,
    KIND: tl.constexpr,
    MODAL: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    k = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    of_rows, inside = row < u, k < width
    mask = of_rows[:, None] & inside[None, :]
    at = row.to(tl.int64)[:, None] * d + k[None, :]
    t = tl.load(table + at, mask=mask, other=0.0).to(tl.float32)
    by_table = tl.zeros([ROWS, BLOCK], tl.float32)
    by_modal = tl.zeros([ROWS, BLOCK], tl.float32)
    if MODAL:
        m = tl.load(modal + at, mask=mask, other=0.0).to(tl.float32)
    if KIND == 3:
        t2 = tl.load(table + at + width, mask=mask, other=0.0).to(tl.float32)
        by_table2 = tl.zeros([ROWS, BLOCK], tl.float32)
        by_modal2 = tl.zeros([ROWS, BLOCK], tl.float32)
        if MODAL:
            m2 = tl.load(modal + at + width, mask=mask, other=0.0).to(tl.float32)
    from_weight = weight + row
    from_query = query + k
    for i in range(0, q):
        w = tl.load(from_weight, mask=of_rows, other=0.0)[:, None]
        a = tl.load(from_query, mask=inside, other=0.0).to(tl.float32)[None, :]
        if MODAL:
            g = tl.load(gate + i).to(tl.float32)
            b = m + g * (t - m)
        else:
            b = t
        if KIND == 3:
            a2 = tl.load(from_query + width, mask=inside, other=0.0).to(tl.float32)[None, :]
            if MODAL:
                b2 = m2 + g * (t2 - m2)
            else:
                b2 = t2
            re, im = a - b, a2 - b2
            scale = w * inverse_modulus(re, im)
            slope, slope2 = re * scale, im * scale
            if MODAL:
                by_table2 += g * slope2
                by_modal2 += (1.0 - g) * slope2
            else:
                by_table2 += slope2
        elif KIND == 0:
            slope = w * a
        else:
            slope = -w * real_slope(a, b, KIND)
        if MODAL:
            by_table += g * slope
            by_modal += (1.0 - g) * slope
        else:
            by_table += slope
        from_weight += u
        from_query += d
    tl.store(of_table + at, by_table.to(of_table.dtype.element_ty), mask=mask)
    if MODAL:
        tl.store(of_modal + at, by_modal.to(of_modal.dtype.element_ty), mask=mask)
    if KIND == 3:
        tl.store(of_table + at + width, by_table2.to(of_table.dtype.element_ty), mask=mask)
        if MODAL:
            tl.store(of_modal + at + width, by_modal2.to(of_modal.dtype.element_ty), mask=mask)
