"""Intermediate results that are not kept, but computed again on the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint


def recomputed(module: nn.Module, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return ``function(*arguments)``, of which only the arguments are kept for its gradient.

    The function is a part of ``module``, whose batch normalisations count each batch once, though
    they see it twice.
    """
    norms = [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if not norms or torch.compiler.is_compiling():
        return checkpoint(function, *arguments, use_reentrant=False)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _uncounted(norms)

    return checkpoint(function, *arguments, use_reentrant=False, context_fn=contexts)


@contextmanager
def _uncounted(norms: list[nn.modules.batchnorm._BatchNorm]) -> Iterator[None]:
    """While it lasts, batches move no running mean or variance."""
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    counts = [None if count is None else count.clone() for _, count in kept]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, (momentum, tracked), count in zip(norms, kept, counts, strict=True):
            norm.momentum = momentum
            if tracked is not None and count is not None:
                tracked.copy_(count)
