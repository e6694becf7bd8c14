"""Gradients of embedding tables as the rows that a batch touched.

An embedding with ``sparse=True`` hands its gradient over as a sparse tensor: the ids it looked up
and a row for each. Here that becomes distinct ids with one row each, without waiting for a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from openke import _native
from openke.data.distinct import find_distinct

_TYPES = {torch.float32: 0, torch.float64: 1}


class RowGradient(NamedTuple):
    """The gradient of some rows of a table; all others have none.

    On the CPU ids increase. Elsewhere their number must not be asked for, so there are as many as
    were looked up, and one id may stand there again and again, with the same row each time.
    """

    ids: Tensor
    """Int["n"]"""
    rows: Tensor
    """Float["n d"]"""


def row_gradient(grad: Tensor) -> RowGradient:
    """Return a gradient, sparse or dense, Float["e d"], as rows; what was looked up twice adds up.

    A batch looks up distinct entities in increasing order, so usually nothing is left to do.
    """
    if not grad.is_sparse:
        return RowGradient(torch.arange(len(grad), device=grad.device), grad)
    ids, rows = grad._indices()[0], grad._values()
    if grad.device.type != "cpu":
        return _without_asking(ids, rows)
    if bool((ids[1:] > ids[:-1]).all()):
        return RowGradient(ids, rows)
    distinct, index = find_distinct(ids.numpy(), grad.shape[0])
    total = rows.new_zeros(len(distinct), rows.shape[1])
    return RowGradient(
        torch.from_numpy(distinct), total.index_add_(0, torch.from_numpy(index), rows)
    )


def _without_asking(ids: Tensor, rows: Tensor) -> RowGradient:
    """Return distinct ids in a tensor of the length of ``ids``, filled up with the first one."""
    ids, order = ids.sort(stable=True)
    begins = ids.diff(prepend=ids[:1] - 1) != 0
    group = begins.cumsum(0) - 1  # [n]: which distinct id each is
    total = torch.zeros_like(rows).index_add_(0, group, rows.index_select(0, order))
    each = torch.arange(len(ids), device=ids.device)
    filled = torch.where(each <= group[-1:], each, 0)
    distinct = torch.zeros_like(ids).scatter_(0, group, ids)
    return RowGradient(distinct[filled], total.index_select(0, filled))


def in_core(table: Tensor) -> bool:
    """Whether the C++ core can step this table."""
    return table.device.type == "cpu" and table.dtype in _TYPES and table.is_contiguous()


def core_argument(table: Tensor, gradient: RowGradient) -> object:
    """Return the core's view of a gradient of contiguous rows, which the caller keeps alive."""
    return _native.reference(
        _native.RowGradient(
            _TYPES[table.dtype],
            *table.shape,
            len(gradient.ids),
            gradient.ids.data_ptr(),
            gradient.rows.data_ptr(),
        )
    )


class StepsRows(torch.optim.Optimizer):
    """An optimiser whose :meth:`step_rows` takes gradients that come as rows, before the others."""

    def step_rows(self, group: dict[str, Any], table: Tensor, gradient: RowGradient) -> None:
        """Move the rows of one table."""
        raise NotImplementedError

    def takes_rows(self, group: dict[str, Any], parameter: Tensor) -> bool:
        """Whether a parameter is stepped by :meth:`step_rows`: where its gradient is sparse."""
        return parameter.grad is not None and parameter.grad.is_sparse

    def step_whole(self) -> None:
        """Move the parameters whose gradient is of every row: PyTorch's step."""
        super().step()

    def count_step(self, table: Tensor) -> Tensor:
        """Return the number of this step of a table, Float[""], on the host or on the GPU.

        On a GPU it stays there, as PyTorch's own are counted, so that a step can be replayed.
        """
        state = self.state[table]
        count = state["step"] if "step" in state else torch.zeros((), device=table.device)
        counted: Tensor = count.to(table.device).add_(1)
        state["step"] = counted
        return counted

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step all parameters that have a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        held: list[tuple[Tensor, Tensor]] = []
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None and self.takes_rows(group, table):
                    ids, rows = row_gradient(table.grad)
                    self.step_rows(group, table, RowGradient(ids, rows.contiguous()))
                    held.append((table, table.grad))
                    table.grad = None  # not for the optimiser of the others
        self.step_whole()
        for table, gradient in held:
            table.grad = gradient
        return loss
