"""Losses of questions that all entities answer: one number for each question.

Shapes: q questions, e entities, n right answers of all questions together.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

AnswerLoss = Callable[[Tensor, Tensor, "Tensor | None", float], Tensor]


def softmax_cross_entropy(
    logits: Tensor, answer: Tensor, offsets: Tensor | None, label_smoothing: float
) -> Tensor:
    """Return Float["q"], the cross entropy of the right answers, all equally likely.

    Parameters
    ----------
    logits : Float["q e"]
        Scores of all entities.
    answer : Int["n"]
        The right answers, question by question.
    offsets : Int["q+1"] or None
        Where each question's answers begin and end; None: each has one.
    label_smoothing
        Share of the probability that is spread over all entities.
    """
    rows, counts = _questions_of(answer, offsets, logits)
    right = logits[rows, answer] / counts[rows]
    expected = logits.new_zeros(len(logits)).index_add(0, rows, right)
    if label_smoothing:
        expected = torch.lerp(expected, logits.mean(dim=1), label_smoothing)
    return logits.logsumexp(dim=1) - expected


def binary_cross_entropy(
    logits: Tensor, answer: Tensor, offsets: Tensor | None, label_smoothing: float
) -> Tensor:
    """Return Float["q"], the mean over entities of the binary cross entropy.

    Arguments are those of :func:`softmax_cross_entropy`; ``label_smoothing`` eps makes the labels
    (1 - eps) y + eps / e.
    """
    rows, _ = _questions_of(answer, offsets, logits)
    right = logits.new_zeros(len(logits)).index_add(0, rows, logits[rows, answer])
    e = logits.shape[1]
    # -y log sigma(s) - (1 - y) log sigma(-s) = softplus(s) - y s
    return (
        softplus(logits).mean(dim=1)
        - (1 - label_smoothing) * right / e
        - label_smoothing * logits.mean(dim=1) / e
    )


def _questions_of(answer: Tensor, offsets: Tensor | None, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Return the question of each answer, Int["n"], and how many each has, Float["q"]."""
    each = torch.arange(len(logits), device=logits.device)
    if offsets is None:
        return each, logits.new_ones(len(logits))
    counts = offsets.diff()
    rows = torch.repeat_interleave(each, counts, output_size=len(answer))
    return rows, counts.to(logits.dtype)


ANSWER_LOSSES: dict[str, AnswerLoss] = {
    "softmax": softmax_cross_entropy,
    "bce": binary_cross_entropy,
}
"""Every loss of a question by name."""
