"""Intermediate results that are not kept, but computed again on the way back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(module: nn.Module, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``function(*arguments)``, of which only the arguments are kept for its gradient.

    The function is a part of ``module``, whose batch normalisations count each batch once, though
    they see it twice.
    """
    norms = batch_norms(module)
    if not norms or torch.compiler.is_compiling():
        return checkpoint(function, *arguments, use_reentrant=False)
    contexts = nullcontext(), _Uncounted(norms)
    return checkpoint(function, *arguments, use_reentrant=False, context_fn=lambda: contexts)


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """Return the parts that normalise over a batch, and so see all of it in each row."""
    return [part for part in module.modules() if isinstance(part, _BatchNorm)]


class _Uncounted:
    """While it lasts, batches move no running mean or variance; it may be entered again."""

    def __init__(self, norms: list[_BatchNorm]) -> None:
        self.norms = norms

    def __enter__(self) -> None:
        counts = [norm.num_batches_tracked for norm in self.norms]
        self.kept = [
            (n.momentum, None if c is None else c.clone())
            for n, c in zip(self.norms, counts, strict=True)
        ]
        for norm in self.norms:
            norm.momentum = 0.0

    def __exit__(self, *_: object) -> None:
        for norm, (momentum, count) in zip(self.norms, self.kept, strict=True):
            norm.momentum = momentum
            if norm.num_batches_tracked is not None and count is not None:
                norm.num_batches_tracked.copy_(count)
