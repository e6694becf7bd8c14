"""How kernels hand tensors to the C++ core, and what all their operators share."""

from typing import Any, NoReturn

import torch
from torch import Tensor

TYPES = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2}
"""Codes of the ABI."""


def in_core(tensor: Tensor, *types: torch.dtype) -> bool:
    """Return whether the core takes the tensor: on the CPU, of one of the types."""
    return tensor.device.type == "cpu" and tensor.dtype in types


def pointer(tensor: Tensor | None) -> int | None:
    """Return the address of a tensor, which the caller keeps alive."""
    return None if tensor is None else tensor.data_ptr()


def no_second_gradient(ctx: Any, *grads: object) -> NoReturn:
    """Raise, as the derivative of an operator that is itself a derivative."""
    raise NotImplementedError(
        "kernels have first derivatives only; for second ones write the function in PyTorch"
    )
