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

    def __init__(self, params: Any, **options: Any) -> None:
        super().__init__(params, **options)
        for parameter, state in self.state.items():
            if parameter.device.type != "cpu":
                state["step"] = torch.zeros((), device=parameter.device)

    def step_rows(self, group: dict[str, Any], table: Tensor, gradient: RowGradient) -> None:
        """Move the rows of one table."""
        rate = self._rate(group, table)
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
            *(float(rate), group["eps"], self.rowwise, torch.get_num_threads()),
            *(table.data_ptr(), total.data_ptr()),
        )

    def step_whole(self) -> None:
        """Move the parameters with a gradient of every row; on a GPU nothing waits for it."""
        moved = [
            (group, parameter)
            for group in self.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        if all(parameter.device.type == "cpu" for _, parameter in moved):
            super().step_whole()
            return
        for group, parameter in moved:
            grad, total = parameter.grad, self.state[parameter]["sum"]
            if group["weight_decay"]:
                grad = grad.add(parameter, alpha=group["weight_decay"])
            total.addcmul_(grad, grad)
            rate = self._rate(group, parameter)
            parameter.sub_(rate * grad / total.sqrt().add_(group["eps"]))

    def _rate(self, group: dict[str, Any], parameter: Tensor) -> Tensor | float:
        """Count a step and return its learning rate."""
        step = self.count_step(parameter)
        if not group["lr_decay"]:
            return float(group["lr"])
        count = int(step) if step.device.type == "cpu" else step
        rate: Tensor | float = float(group["lr"]) / (1 + (count - 1) * group["lr_decay"])
        return rate


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
    rate: Tensor | float,
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
