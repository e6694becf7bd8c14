"""Adam over gradients that come as rows: exactly, or for the touched rows only."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from openke import _native
from openke.training.optimizers.row_gradients import RowGradient, StepsRows, core_argument, in_core


class Adam(StepsRows, torch.optim.Adam):
    """``torch.optim.Adam``, which also takes sparse gradients and then steps as if they were dense.

    Rows without a gradient still move, by the momentum of earlier steps: on the CPU one pass over
    the table does both, and no gradient of the table's size is made. The state is PyTorch's.
    """

    lazy: ClassVar[bool] = False

    def step_rows(self, group: dict[str, Any], table: Tensor, gradient: RowGradient) -> None:
        """Move the rows of one table."""
        step, state = self.count_step(table), self.state[table]
        if "exp_avg" not in state:
            state["exp_avg"] = torch.zeros_like(table)
            state["exp_avg_sq"] = torch.zeros_like(table)
        moments = state["exp_avg"], state["exp_avg_sq"]
        if not in_core(table):
            if not self.lazy:
                gradient = _every_row(table, gradient)
            _step(group, step, gradient, table, *moments)
            return
        beta1, beta2 = group["betas"]
        numbers = float(group["lr"]), beta1, beta2, group["eps"], group["weight_decay"]
        settings = _native.Adam(*numbers, int(step), self.lazy)
        _native.call(
            "adam_rows",
            *(core_argument(table, gradient), _native.reference(settings), torch.get_num_threads()),
            *(tensor.data_ptr() for tensor in (table, *moments)),
        )


class LazyAdam(Adam):
    """Adam that leaves rows without a gradient as they are, weights and moments.

    It costs what the batch touches, not what the table holds. What differs from Adam: moments of a
    row decay once for each batch that touches it, not for every batch, so rare entities keep the
    momentum of their last batch; ``weight_decay`` pulls touched rows only. Bias correction counts
    all steps, as in ``torch.optim.SparseAdam``. Parameters with a dense gradient are Adam's.
    """

    lazy: ClassVar[bool] = True


def _every_row(table: Tensor, gradient: RowGradient) -> RowGradient:
    dense = torch.zeros_like(table).index_copy_(0, gradient.ids, gradient.rows)
    return RowGradient(torch.arange(len(table), device=table.device), dense)


def _step(
    group: dict[str, Any],
    step: Tensor,
    gradient: RowGradient,
    table: Tensor,
    mean: Tensor,
    square: Tensor,
) -> None:
    """Step the given rows in PyTorch, as base/optimizer.cpp does."""
    beta1, beta2 = group["betas"]
    ids, grad = gradient
    rows = table.index_select(0, ids)
    grad = grad + group["weight_decay"] * rows
    m = mean.index_select(0, ids).lerp_(grad, 1 - beta1)
    v = square.index_select(0, ids).mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
    count = int(step) if step.device.type == "cpu" else step
    rate, scale = group["lr"] / (1 - beta1**count), (1 - beta2**count) ** -0.5
    rows -= rate * m / (v.sqrt() * scale + group["eps"])
    for target, values in ((table, rows), (mean, m), (square, v)):
        target.index_copy_(0, ids, values)
