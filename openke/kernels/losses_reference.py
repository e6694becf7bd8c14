"""The loss kernels in plain PyTorch, for any device and floating type.

The C++ kernels are held to these functions. Rows go in chunks, so that no second array of the
logits' size is made but the gradient; half-precision logits are widened to float32. What is done
with a chunk is compiled on GPUs (:mod:`openke.kernels.compiled`), and nothing waits for a device.

Shapes: q rows of logits, u columns, p true columns of all rows together.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from openke.kernels.compiled import chunk_reals, compiled


class Labels(NamedTuple):
    """Which columns are true: of row i ``targets[offsets[i]:offsets[i + 1]]``."""

    targets: Tensor
    """Int["p"]"""
    offsets: Tensor | None
    """Int["q+1"]; None: one target for each row"""
    smoothing: float

    def rows(self, q: int) -> Tensor:
        """Return the row of each target, Int["p"]."""
        each = torch.arange(q, device=self.targets.device)
        if self.offsets is None:
            return each
        return each.repeat_interleave(self.offsets.diff(), output_size=len(self.targets))

    def counts(self, logits: Tensor) -> Tensor:
        """Return how many targets each row has, Float["q"]."""
        if self.offsets is None:
            return wide(logits).new_ones(len(logits))
        return self.offsets.diff().to(wide(logits).dtype)


def softmax(logits: Tensor, labels: Labels) -> tuple[Tensor, Tensor]:
    """Return losses, Float["q"], and normalisers, Float["q 2"]: largest logit, sum of exp."""
    q = len(logits)
    sums = wide(logits).new_empty(3, q)
    for part in _chunks(logits):
        sums[:, part] = _softmax_sums(logits[part])
    largest, total, distance = sums
    counts = labels.counts(logits)
    picked = _sum_of_positives(logits, labels) / counts.clamp(min=1)
    log_sum = total.log()
    loss = (1 - labels.smoothing) * (log_sum + (largest - picked)) * counts.clamp(max=1)
    if labels.smoothing:
        loss = loss + labels.smoothing * (log_sum - distance)
    return loss, torch.stack([largest, total], dim=1)


def softmax_backward(grad: Tensor, logits: Tensor, normaliser: Tensor, labels: Labels) -> Tensor:
    """Return the gradient of logits for ``grad``, Float["q"]."""
    u = logits.shape[1]
    counts = labels.counts(logits)
    weight = (1 - labels.smoothing) * counts.clamp(max=1)
    scale = grad * (weight + labels.smoothing) / normaliser[:, 1]
    shift = grad * labels.smoothing / u
    out = torch.empty_like(logits)
    for part in _chunks(logits):
        out[part] = _softmax_slopes(logits[part], normaliser[part, 0], scale[part], shift[part])
    return _add_at_positives(out, labels, -grad * weight / counts.clamp(min=1))


def binary(logits: Tensor, labels: Labels) -> Tensor:
    """Return losses, Float["q"]."""
    q, u = logits.shape
    sums = wide(logits).new_empty(2, q)
    for part in _chunks(logits):
        sums[:, part] = _softplus_sums(logits[part])
    total, values = sums
    loss: Tensor = total - (1 - labels.smoothing) * _sum_of_positives(logits, labels)
    if labels.smoothing:
        loss = loss - labels.smoothing / u * values
    return loss / u


def binary_backward(grad: Tensor, logits: Tensor, labels: Labels) -> Tensor:
    """Return the gradient of logits for ``grad``, Float["q"]."""
    u = logits.shape[1]
    scale = grad / u
    shift = scale * labels.smoothing / u
    out = torch.empty_like(logits)
    for part in _chunks(logits):
        out[part] = _softplus_slopes(logits[part], scale[part], shift[part])
    return _add_at_positives(out, labels, -scale * (1 - labels.smoothing))


@compiled
def _softmax_sums(logits: Tensor) -> Tensor:
    """Return Float["3 q"]: largest logit, sum of exp(logit - largest), mean of logit - largest."""
    x = wide(logits)
    largest = x.amax(1)
    below = x - largest[:, None]
    return torch.stack([largest, below.exp().sum(1), below.mean(1)])


@compiled
def _softmax_slopes(logits: Tensor, largest: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    p = (wide(logits) - largest[:, None]).exp()
    return (scale[:, None] * p - shift[:, None]).to(logits.dtype)


@compiled
def _softplus_sums(logits: Tensor) -> Tensor:
    """Return Float["2 q"]: the sums of log(1 + exp(logit)) and of the logits."""
    x = wide(logits)
    return torch.stack([torch.nn.functional.softplus(x).sum(1), x.sum(1)])


@compiled
def _softplus_slopes(logits: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return (scale[:, None] * wide(logits).sigmoid() - shift[:, None]).to(logits.dtype)


def wide(tensor: Tensor) -> Tensor:
    """Return the tensor in float32 where it has half precision."""
    return tensor.float() if tensor.dtype in (torch.bfloat16, torch.float16) else tensor


def _chunks(logits: Tensor) -> Iterator[slice]:
    q, u = logits.shape
    size = max(1, chunk_reals(logits.device) // u)
    for begin in range(0, q, size):
        yield slice(begin, min(q, begin + size))


def _sum_of_positives(logits: Tensor, labels: Labels) -> Tensor:
    rows = labels.rows(len(logits))
    picked = wide(logits[rows, labels.targets])
    return picked.new_zeros(len(logits)).index_add_(0, rows, picked)


def _add_at_positives(out: Tensor, labels: Labels, addend: Tensor) -> Tensor:
    """Add to the gradient of each row, at its targets; each stands once in its row."""
    rows = labels.rows(len(out))
    at = out[rows, labels.targets] + addend[rows]
    return out.index_put_((rows, labels.targets), at.to(out.dtype))
