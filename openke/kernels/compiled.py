"""PyTorch functions that ``torch.compile`` turns into one kernel where they run on a GPU.

The environment variable ``OPENKE_COMPILE`` says where: ``cuda`` (default: on NVIDIA and AMD GPUs),
``always`` (on every device) or ``never``. Compiling takes seconds, at the first call with tensors
of a new kind. Where it fails, for want of Triton for example, a RuntimeWarning says so once for
each function, which then runs uncompiled: the same results, more slowly, with larger temporaries.
"""

import functools
import os
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

VARIABLE = "OPENKE_COMPILE"
WHERE = ("cuda", "always", "never")

CHUNK = 1 << 22
"""Reals that are worked on at a time on the CPU: 16 MiB in float32. A GPU takes 16 times as many:
there it is the number of launches that costs."""

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Return the function, compiled as :data:`VARIABLE` says; its first argument is a tensor."""
    chosen: list[Callable[..., Any]] = []  # what runs in place of the function, once it is known

    @functools.wraps(function)
    def run(first: Tensor, *others: Any) -> Any:
        if not wanted(first.device):
            return function(first, *others)
        if not chosen:
            chosen.append(torch.compile(function, dynamic=True))
        try:
            return chosen[0](first, *others)
        except RuntimeError as error:
            if not _could_not_compile(error):
                raise
            chosen[0] = function
            warnings.warn(
                f"{function.__name__} runs uncompiled, since torch.compile failed "
                f"({type(error).__name__}: {str(error).splitlines()[0]}); {VARIABLE}=never makes "
                "that a choice",
                RuntimeWarning,
                stacklevel=2,
            )
            return function(first, *others)

    return run  # type: ignore[return-value]


def chunk_reals(device: torch.device) -> int:
    """Return how many reals of a temporary a device works on at a time."""
    return CHUNK if device.type == "cpu" else 16 * CHUNK


def wanted(device: torch.device) -> bool:
    """Return whether :data:`VARIABLE` asks for compiled kernels on a device."""
    where = os.environ.get(VARIABLE) or WHERE[0]
    if where not in WHERE:
        raise ValueError(
            f"environment variable {VARIABLE} is {where!r}; expected {', '.join(WHERE)}, or unset"
        )
    return where == "always" or where == device.type


def _could_not_compile(error: RuntimeError) -> bool:
    from torch._dynamo.exc import TorchDynamoException  # there once something was compiled

    return isinstance(error, TorchDynamoException)
