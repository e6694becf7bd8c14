"""Adagrad over gradients that come as rows: one accumulator a value, or one a row."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from openke import _native
from openke.training.optimizers.row_gradients import RowGradient, StepsRows, core_argument, in_core


class Adagrad(StepsRows, torch.optim.Adagrad):
    """``torch.optim.Adagrad``, whose sparse gradients cost only the rows that a batch touched.

    A row without a gradient does not move, so this is the dense optimiser exactly; with
    ``weight_decay``, which gives every row a gradient, only touched rows decay.
    """

    rowwise = False

    def step_rows(self, group: dict[str, Any], table: Tensor, gradient: RowGradient) -> None:
        """Move the rows of one table."""
        rate = float(group["lr"]) / (1 + (self.count_step(table) - 1) * group["lr_decay"])
        total = self.state[table]["sum"]
        if group["weight_decay"]:
            pulled = table.index_select(0, gradient.ids).mul_(group["weight_decay"])
            gradient = gradient._replace(rows=gradient.rows + pulled)
        if not in_core(table):
            _step(rate, group["eps"], self.rowwise, gradient, table, total)
            return
        _native.call(
            "adagrad_rows",
            core_argument(table, gradient),
            *(rate, group["eps"], self.rowwise, torch.get_num_threads()),
            *(table.data_ptr(), total.data_ptr()),
        )


class RowwiseAdagrad(Adagrad):
    """Adagrad with one accumulator for each row of a table: the mean of its squared gradient.

    Its state is as small as a column of the table. ``tables`` are the parameters it does so for;
    all others are Adagrad's. ``weight_decay`` pulls touched rows only.

    References
    ----------
    Gupta et al., Training Highly Multi-class Classifiers, JMLR 2014, section 4.1; as in FBGEMM's
    and DLRM's row-wise Adagrad.
    """

    rowwise = True

    def __init__(self, params: Any, *, tables: list[Tensor], **options: Any) -> None:
        super().__init__(params, **options)
        self._tables = {id(table) for table in tables}
        for table in tables:
            self.state[table]["sum"] = self.state[table]["sum"].new_zeros(len(table))

    def takes_rows(self, group: dict[str, Any], parameter: Tensor) -> bool:
        """Whether a parameter is a table, however its gradient comes."""
        return id(parameter) in self._tables


def _step(
    rate: float,
    epsilon: float,
    rowwise: bool,
    gradient: RowGradient,
    table: Tensor,
    total: Tensor,
) -> None:
    """Step the given rows in PyTorch, as base/optimizer.cpp does."""
    ids, grad = gradient
    squares = grad.square().mean(dim=1) if rowwise else grad.square()
    sums = total.index_select(0, ids) + squares
    total.index_copy_(0, ids, sums)
    scale = rate / (sums.sqrt() + epsilon)
    rows = table.index_select(0, ids) - (scale[:, None] if rowwise else scale) * grad
    table.index_copy_(0, ids, rows)
