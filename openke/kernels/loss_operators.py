"""The losses as custom operators of PyTorch, with derivatives and shapes."""

from typing import Any

import torch
from torch import Tensor

from openke import _native
from openke.kernels import losses_reference as reference
from openke.kernels.arguments import check_offsets, check_range
from openke.kernels.core import TYPES, in_core, no_second_gradient, pointer
from openke.kernels.losses_reference import Labels

REALS = (torch.float32, torch.float64, torch.bfloat16)


@torch.library.custom_op("openke::softmax_cross_entropy", mutates_args=())
def softmax(
    logits: Tensor, targets: Tensor, offsets: Tensor | None, smoothing: float
) -> tuple[Tensor, Tensor]:
    """Return losses and normalisers; see :func:`.softmax_cross_entropy`."""
    labels = Labels(targets, offsets, smoothing)
    if not in_core(logits, *REALS):
        _check(logits, labels)
        return reference.softmax(logits, labels)
    loss, normaliser = _outputs(logits)
    _call("softmax_cross_entropy", logits, labels, [], [loss, normaliser])
    return loss, normaliser


@torch.library.custom_op("openke::softmax_cross_entropy_backward", mutates_args=())
def softmax_backward(
    grad: Tensor,
    logits: Tensor,
    normaliser: Tensor,
    targets: Tensor,
    offsets: Tensor | None,
    smoothing: float,
) -> Tensor:
    """Return the gradient of logits for ``grad``, Float["q"]."""
    labels = Labels(targets, offsets, smoothing)
    if not in_core(logits, *REALS):
        return reference.softmax_backward(grad, logits, normaliser, labels)
    out = _gradient_output(logits)
    _call("softmax_cross_entropy_backward", logits, labels, [normaliser, grad.contiguous()], [out])
    return out


@torch.library.custom_op("openke::binary_cross_entropy", mutates_args=())
def binary(logits: Tensor, targets: Tensor, offsets: Tensor, smoothing: float) -> Tensor:
    """Return losses; see :func:`.binary_cross_entropy`."""
    labels = Labels(targets, offsets, smoothing)
    if not in_core(logits, *REALS):
        _check(logits, labels)
        return reference.binary(logits, labels)
    loss = _outputs(logits)[0]
    _call("binary_cross_entropy", logits, labels, [], [loss])
    return loss


@torch.library.custom_op("openke::binary_cross_entropy_backward", mutates_args=())
def binary_backward(
    grad: Tensor, logits: Tensor, targets: Tensor, offsets: Tensor, smoothing: float
) -> Tensor:
    """Return the gradient of logits for ``grad``, Float["q"]."""
    labels = Labels(targets, offsets, smoothing)
    if not in_core(logits, *REALS):
        return reference.binary_backward(grad, logits, labels)
    out = _gradient_output(logits)
    _call("binary_cross_entropy_backward", logits, labels, [grad.contiguous()], [out])
    return out


# ---- the C++ core -------------------------------------------------------------------------------


def _call(
    name: str, logits: Tensor, labels: Labels, given: list[Tensor], out: list[Tensor]
) -> None:
    """Call the core with contiguous tensors ``given`` and ``out``."""
    logits, targets = logits.contiguous(), labels.targets.contiguous()
    offsets = None if labels.offsets is None else labels.offsets.contiguous()
    rows = _native.Logits(
        TYPES[logits.dtype],
        *logits.shape,
        *(logits.data_ptr(), pointer(offsets), targets.data_ptr()),
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


def _check(logits: Tensor, labels: Labels) -> None:
    """Refuse on the CPU what the core would refuse."""
    check_range("targets", labels.targets, logits.shape[1])
    if labels.offsets is not None:
        check_offsets(labels.offsets, len(labels.targets))


# ---- shapes and derivatives ---------------------------------------------------------------------


def _outputs(logits: Tensor, *_: object) -> tuple[Tensor, Tensor]:
    q = logits.shape[0]
    dtype = torch.float64 if logits.dtype == torch.float64 else torch.float32
    return logits.new_empty(q, dtype=dtype), logits.new_empty(q, 2, dtype=dtype)


def _gradient_output(logits: Tensor) -> Tensor:
    return torch.empty_like(logits, memory_format=torch.contiguous_format)


softmax.register_fake(_outputs)
binary.register_fake(lambda logits, *_: _outputs(logits)[0])
for _operator in (softmax_backward, binary_backward):
    _operator.register_fake(lambda grad, logits, *_: _gradient_output(logits))


def _save_softmax(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    logits, targets, offsets, ctx.smoothing = inputs
    ctx.save_for_backward(logits, output[1], targets, offsets)
    ctx.mark_non_differentiable(output[1])


def _softmax_gradient(ctx: Any, grad: Tensor, _: object) -> tuple[Tensor | None, ...]:
    return softmax_backward(grad, *ctx.saved_tensors, ctx.smoothing), None, None, None


def _save_binary(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.smoothing = inputs
    ctx.save_for_backward(*tensors)


def _binary_gradient(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return binary_backward(grad, *ctx.saved_tensors, ctx.smoothing), None, None, None


softmax.register_autograd(_softmax_gradient, setup_context=_save_softmax)
binary.register_autograd(_binary_gradient, setup_context=_save_binary)
for _operator in (softmax_backward, binary_backward):
    _operator.register_autograd(no_second_gradient)
