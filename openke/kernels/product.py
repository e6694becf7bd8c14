"""Products with a transposed matrix: scores by dot products, and linear layers."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

COLUMNS = 1000
"""Candidates multiplied at a time in bfloat16 on a CPU. One thread with AMX (PyTorch 2.14, oneDNN)
takes 12 ms for [1000, 400] @ [400, 15000] in blocks of 1,000 and 33 ms in one piece, most of it
spent on turning the candidates round."""

SMALL = 2**20
"""Multiplications below which a product in float32 is left to PyTorch: calling oneDNN costs 10 µs.

PyTorch multiplies float32 with MKL, which leaves out the AVX-512 of AMD's processors: one thread of
a Zen 5 does [9300, 768] @ [768, 500] at 70 GFLOP/s, and at 230 with the oneDNN that PyTorch holds,
too. Without AVX-512 MKL is as fast or faster: a Zen 3 does 98 with it and 80 with oneDNN. With
``torch.backends.mkldnn.enabled = False`` it is MKL anyway. Intel's processors were not measured."""

ROWS = 1024
"""Rows that oneDNN multiplies at a time: what it writes down meanwhile is small and, other than
the rows of a batch, always of the same size, so that it can be kept for the next call."""

STEP = 128
"""The last rows are filled up with zeros to a multiple of this."""

WIDE = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
_onednn: Any = getattr(torch.ops.mkldnn, "_linear_pointwise", None)


def product(query: Tensor, table: Tensor) -> Tensor:
    """Return Float["q u"], query @ table.T (Float["q d"], Float["u d"]).

    In float32 and bfloat16 on a CPU it has first derivatives only.
    """
    on_cpu = query.device.type == "cpu" and not torch.compiler.is_compiling()
    if on_cpu and torch.is_autocast_enabled("cpu"):
        kind = torch.get_autocast_dtype("cpu")
        query, table = query.to(kind), table.to(kind)
    ours = query.dtype == table.dtype and query.dtype in (torch.float32, torch.bfloat16)
    fitting = query.dim() == table.dim() == 2 and query.shape[1] == table.shape[1]
    if not (on_cpu and ours and fitting):
        return query @ table.T
    scores: Tensor = _Product.apply(query, table)
    return scores


class Linear(nn.Linear):
    """``torch.nn.Linear`` by :func:`product`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return Float["... out"], input @ weight.T + bias, of Float["... in"]."""
        if input.device.type != "cpu" or input.dim() != 2 or torch.compiler.is_compiling():
            return super().forward(input)
        made = product(input, self.weight)
        return made if self.bias is None else made.add_(self.bias)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, query: Tensor, table: Tensor) -> Tensor:
        ctx.save_for_backward(query, table)
        if query.dtype == torch.float32:
            return _times(query, table)
        out = query.new_empty(query.shape[0], table.shape[0])
        for first in range(0, table.shape[0], COLUMNS):
            part = slice(first, first + COLUMNS)
            torch.mm(query, table[part].T, out=out[:, part])
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        query, table = ctx.saved_tensors
        of_query = _times(grad, table.T) if ctx.needs_input_grad[0] else None
        of_table = _joined(grad, query) if ctx.needs_input_grad[1] else None
        return of_query, of_table


def _by_onednn(rows: Tensor, width: int) -> bool:
    """Whether a product of rows with a matrix of another ``width`` is one for oneDNN."""
    large = rows.numel() * width >= SMALL
    return (
        WIDE
        and _onednn is not None
        and rows.dtype == torch.float32
        and large
        and bool(torch.backends.mkldnn.enabled)
    )


def _times(left: Tensor, right: Tensor) -> Tensor:
    """Return left @ right.T."""
    if not _by_onednn(left, right.shape[0]):
        return left @ right.T
    out = left.new_empty(left.shape[0], right.shape[0])
    for part, rows in zip(torch.split(out, ROWS), torch.split(left, ROWS), strict=True):
        part.copy_(_onednn(_whole(rows), right, None, "none", [], "")[: len(part)])
    return out


def _joined(left: Tensor, right: Tensor) -> Tensor:
    """Return left.T @ right."""
    if not _by_onednn(left, right.shape[1]):
        return left.T @ right
    out = left.new_zeros(left.shape[1], right.shape[1])
    for ours, theirs in zip(torch.split(left, ROWS), torch.split(right, ROWS), strict=True):
        out += _onednn(_whole(ours).T, _whole(theirs).T, None, "none", [], "")
    return out


def _whole(rows: Tensor) -> Tensor:
    """Return the rows, filled up with zeros to a multiple of STEP, one right after the other.

    Of rows with gaps between them, such as every fourth of a table, oneDNN takes hundreds of times
    as long.
    """
    missing = -len(rows) % STEP
    return torch.nn.functional.pad(rows, (0, 0, 0, missing)) if missing else rows.contiguous()
