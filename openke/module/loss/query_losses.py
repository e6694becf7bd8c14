"""Losses of queries that all entities answer: one number for each query.

Shapes: q queries, e entities, n right answers of all queries together.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from openke import kernels
from openke.runtime.registry import Registry

QueryLoss = Callable[[Tensor, Tensor, "Tensor | None", float], Tensor]
"""Logits, right answers, where each query's begin, label smoothing -> one number for each query."""


def softmax_cross_entropy(
    logits: Tensor, answer: Tensor, offsets: Tensor | None, label_smoothing: float
) -> Tensor:
    """Return Float["q"], the cross entropy of the right answers, all equally likely.

    Parameters
    ----------
    logits : Float["q e"]
        Scores of all entities.
    answer : Int["n"]
        The right answers, query by query.
    offsets : Int["q+1"] or None
        Where each query's answers begin and end; None: each has one.
    label_smoothing
        Share of the probability that is spread over all entities.
    """
    return kernels.softmax_cross_entropy(logits, answer, label_smoothing, offsets=offsets)


def binary_cross_entropy(
    logits: Tensor, answer: Tensor, offsets: Tensor | None, label_smoothing: float
) -> Tensor:
    """Return Float["q"], the mean over entities of the binary cross entropy.

    Arguments are those of :func:`softmax_cross_entropy`; ``label_smoothing`` eps makes the labels
    (1 - eps) y + eps / e.
    """
    if offsets is None:
        offsets = torch.arange(len(logits) + 1, device=logits.device)
    return kernels.binary_cross_entropy(logits, offsets, answer, label_smoothing)


def binary_cross_entropy_conve(
    logits: Tensor, answer: Tensor, offsets: Tensor | None, label_smoothing: float
) -> Tensor:
    """Return Float["q"], the mean of binary cross entropies as ConvE's and TuckER's code has it.

    ``label_smoothing`` eps makes the labels (1 - eps) y + 1 / e instead of (1 - eps) y + eps / e;
    none leaves them as they are. Arguments are those of :func:`softmax_cross_entropy`.
    """
    losses = binary_cross_entropy(logits, answer, offsets, label_smoothing)
    if not label_smoothing:
        return losses
    # A cross entropy is linear in its labels: what these are more by falls with the mean logit.
    return losses - (1 - label_smoothing) / logits.shape[1] * logits.mean(dim=1)


QUERY_LOSSES: Registry[QueryLoss] = Registry(
    {
        "softmax": softmax_cross_entropy,
        "bce": binary_cross_entropy,
        "bce-conve": binary_cross_entropy_conve,
    },
    "openke.query_losses",
)
"""Losses of a query by name, with those of other packages."""
