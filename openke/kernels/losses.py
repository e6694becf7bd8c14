"""Cross entropies of rows of logits against sets of true columns, differentiable.

Labels are y = (1 - ε) w + ε / u with label smoothing ε, where w says which columns are true:

- softmax: -Σ_j y_j log softmax(x)_j with w = 1 / (number of true columns) at each of them
- binary: -mean_j [y_j log σ(x_j) + (1 - y_j) log σ(-x_j)] with w = 1 at each of them

A row without a true column has w = 0. True columns are lists of ids, one for each row or as many
as there are: no array of labels is made, and a gradient is one new array of the logits' size.

float32, float64 and bfloat16 logits on the CPU go through the C++ core (``base/losses.h``), all
others through :mod:`openke.kernels.losses_reference`. Half-precision logits give float32 losses.

Shapes: q rows of logits, u columns, p true columns of all rows together.
"""

from typing import Any

import torch
from torch import Tensor

from openke import _native
from openke.kernels import losses_reference
from openke.kernels.compare import _check_index, _check_range, _no_second_gradient, _pointer
from openke.kernels.losses_reference import Labels

_TYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2}


def softmax_cross_entropy(
    logits: Tensor, target: Tensor, label_smoothing: float = 0.0, *, offsets: Tensor | None = None
) -> Tensor:
    """Return the cross entropy of each row's softmax.

    Parameters
    ----------
    logits : Float["q u"]
        Scores of the columns.
    target : Int["q"] or Int["p"]
        The true column of each row; with ``offsets``, those of all rows.
    label_smoothing
        Part of the labels that is spread over all columns, 0 to 1.
    offsets : Int["q+1"], optional
        Row i's true columns are ``target[offsets[i]:offsets[i + 1]]``, each once.

    Returns
    -------
    Float["q"]

    Raises
    ------
    ValueError
        Shapes that do not fit, smoothing out of range, or (on the CPU) a column out of range or
        offsets that do not divide the targets.
    """
    _check(logits, target, offsets, label_smoothing)
    long_offsets = None if offsets is None else offsets.long()
    loss: Tensor = _softmax(logits, target.long(), long_offsets, float(label_smoothing))[0]
    return loss


def binary_cross_entropy(
    logits: Tensor, offsets: Tensor, targets: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Return the mean cross entropy of each row's sigmoids.

    Parameters
    ----------
    logits : Float["q u"]
        Scores of the columns.
    offsets : Int["q+1"]
        Row i's true columns are ``targets[offsets[i]:offsets[i + 1]]``, each once.
    targets : Int["p"]
        The true columns of all rows.
    label_smoothing
        ε of the labels (1 - ε) y + ε / u, 0 to 1.

    Returns
    -------
    Float["q"]

    Raises
    ------
    ValueError
        As :func:`softmax_cross_entropy`.
    """
    _check(logits, targets, offsets, label_smoothing)
    loss: Tensor = _binary(logits, targets.long(), offsets.long(), float(label_smoothing))
    return loss


# ---- arguments ----------------------------------------------------------------------------------


def _check(logits: Tensor, targets: Tensor, offsets: Tensor | None, smoothing: float) -> None:
    if logits.dim() != 2 or not logits.is_floating_point() or logits.shape[1] == 0:
        raise ValueError(
            f"logits are of {logits.dtype} and shape {list(logits.shape)}; expected a floating "
            "type and [q, u] with at least one column"
        )
    _check_index("targets", targets)
    q = logits.shape[0]
    if offsets is not None:
        _check_index("offsets", offsets)
        if offsets.shape[0] != q + 1:
            raise ValueError(f"offsets have {offsets.shape[0]} entries; expected [q + 1], {q + 1}")
    elif targets.shape[0] != q:
        raise ValueError(
            f"{targets.shape[0]} targets are given without offsets; expected one for each of {q} "
            "rows"
        )
    if not 0 <= smoothing <= 1:
        raise ValueError(f"label_smoothing is {smoothing}; expected 0 to 1")
    for name, index in (("targets", targets), ("offsets", offsets)):
        if index is not None and index.device != logits.device:
            raise ValueError(f"logits are on {logits.device} and {name} on {index.device}")


def _check_labels(logits: Tensor, labels: Labels) -> None:
    """Refuse on the CPU what the core would refuse."""
    targets, offsets, _ = labels
    _check_range("targets", targets, logits.shape[1])
    if offsets is None or offsets.device.type != "cpu":
        return
    if offsets[0] != 0 or offsets[-1] != len(targets) or (offsets.diff() < 0).any():
        raise ValueError(
            f"offsets do not divide the targets; expected 0, then no decrease up to {len(targets)}"
        )


def _in_core(logits: Tensor) -> bool:
    return logits.device.type == "cpu" and logits.dtype in _TYPES


def _call(
    name: str, logits: Tensor, labels: Labels, given: list[Tensor], out: list[Tensor]
) -> None:
    """Call the core with contiguous tensors ``given`` and ``out``."""
    logits, targets = logits.contiguous(), labels.targets.contiguous()
    offsets = None if labels.offsets is None else labels.offsets.contiguous()
    rows = _native.Logits(
        _TYPES[logits.dtype],
        *logits.shape,
        *(logits.data_ptr(), _pointer(offsets), targets.data_ptr()),
        len(targets),
        labels.smoothing,
    )
    _native.call(
        name,
        _native.reference(rows),
        *map(Tensor.data_ptr, given),
        torch.get_num_threads(),
        *map(Tensor.data_ptr, out),
    )


# ---- operators ----------------------------------------------------------------------------------


@torch.library.custom_op("openke::softmax_cross_entropy", mutates_args=())
def _softmax(
    logits: Tensor, targets: Tensor, offsets: Tensor | None, smoothing: float
) -> tuple[Tensor, Tensor]:
    labels = Labels(targets, offsets, smoothing)
    if not _in_core(logits):
        _check_labels(logits, labels)
        return losses_reference.softmax(logits, labels)
    loss, normaliser = _softmax_outputs(logits)
    _call("softmax_cross_entropy", logits, labels, [], [loss, normaliser])
    return loss, normaliser


@torch.library.custom_op("openke::softmax_cross_entropy_backward", mutates_args=())
def _softmax_backward(
    grad: Tensor,
    logits: Tensor,
    normaliser: Tensor,
    targets: Tensor,
    offsets: Tensor | None,
    smoothing: float,
) -> Tensor:
    labels = Labels(targets, offsets, smoothing)
    if not _in_core(logits):
        return losses_reference.softmax_backward(grad, logits, normaliser, labels)
    out = _gradient_output(logits)
    _call("softmax_cross_entropy_backward", logits, labels, [normaliser, grad.contiguous()], [out])
    return out


@torch.library.custom_op("openke::binary_cross_entropy", mutates_args=())
def _binary(logits: Tensor, targets: Tensor, offsets: Tensor, smoothing: float) -> Tensor:
    labels = Labels(targets, offsets, smoothing)
    if not _in_core(logits):
        _check_labels(logits, labels)
        return losses_reference.binary(logits, labels)
    loss = _softmax_outputs(logits)[0]
    _call("binary_cross_entropy", logits, labels, [], [loss])
    return loss


@torch.library.custom_op("openke::binary_cross_entropy_backward", mutates_args=())
def _binary_backward(
    grad: Tensor, logits: Tensor, targets: Tensor, offsets: Tensor, smoothing: float
) -> Tensor:
    labels = Labels(targets, offsets, smoothing)
    if not _in_core(logits):
        return losses_reference.binary_backward(grad, logits, labels)
    out = _gradient_output(logits)
    _call("binary_cross_entropy_backward", logits, labels, [grad.contiguous()], [out])
    return out


# ---- shapes, for compilers ----------------------------------------------------------------------


def _softmax_outputs(logits: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    q = logits.shape[0]
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    return logits.new_empty(q, dtype=dtype), logits.new_empty(q, 2, dtype=dtype)


def _gradient_output(logits: Tensor) -> Tensor:
    return torch.empty_like(logits, memory_format=torch.contiguous_format)


_softmax.register_fake(_softmax_outputs)
_binary.register_fake(lambda logits, *_: _softmax_outputs(logits)[0])
for _operator in (_softmax_backward, _binary_backward):
    _operator.register_fake(lambda grad, logits, *_: _gradient_output(logits))


# ---- gradients ----------------------------------------------------------------------------------


def _save_softmax(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    logits, targets, offsets, ctx.smoothing = inputs
    ctx.save_for_backward(logits, output[1], targets, offsets)
    ctx.mark_non_differentiable(output[1])


def _softmax_gradient(ctx: Any, grad: Tensor, _: object) -> tuple[Tensor | None, ...]:
    return _softmax_backward(grad, *ctx.saved_tensors, ctx.smoothing), None, None, None


def _save_binary(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.smoothing = inputs
    ctx.save_for_backward(*tensors)


def _binary_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return _binary_backward(grad, *ctx.saved_tensors, ctx.smoothing), None, None, None


_softmax.register_autograd(_softmax_gradient, setup_context=_save_softmax)
_binary.register_autograd(_binary_gradient, setup_context=_save_binary)
for _operator in (_softmax_backward, _binary_backward):
    _operator.register_autograd(_no_second_gradient)
