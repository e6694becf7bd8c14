"""Rows that are drawn at random, as if they were a mixture of all rows on the way back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def draw_rows(rows: Tensor, logits: Tensor, drawn: Tensor) -> Tensor:
    """Return the drawn rows, Float["b*n …"], through which logits receive a gradient.

    Parameters
    ----------
    rows : Float["c …"]
        What is drawn from.
    logits : Float["b c"]
        With Gumbel noise: the n largest of each are drawn, so that draws are distinct.
    drawn : Int["b n"]
        Their columns, the largest first.

    The gradient of rows is that of what was drawn. That of logits is as if draw j were the mixture
    of all rows by softmax(logits), those drawn before j left out (temperature 1).

    References
    ----------
    Jang et al., Categorical Reparameterization with Gumbel-Softmax, ICLR 2017; Kool et al.,
    Stochastic Beams and Where to Find Them, ICML 2019, for draws without replacement.
    """
    found: Tensor = _Draw.apply(rows, logits, drawn)
    return found


class _Draw(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, logits: Tensor, drawn: Tensor) -> Tensor:
        ctx.save_for_backward(rows, logits, drawn)
        return rows.index_select(0, drawn.reshape(-1))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        rows, logits, drawn = ctx.saved_tensors
        of_rows = torch.zeros_like(rows).index_add(0, drawn.reshape(-1), gradient)
        if not ctx.needs_input_grad[1]:
            return of_rows, None, None
        b, n = drawn.shape
        table, of_draws = rows.flatten(1), gradient.reshape(b, n, -1)
        left, of_logits = logits.clone(), torch.zeros_like(logits)
        for j in range(n):  # one after the other: [b, n, c] would be large
            share = left.softmax(dim=1)
            slope = of_draws[:, j] @ table.t()
            of_logits += share * (slope - (share * slope).sum(dim=1, keepdim=True))
            left.scatter_(1, drawn[:, j, None], float("-inf"))
        return of_rows, of_logits, None
