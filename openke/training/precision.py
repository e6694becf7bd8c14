"""In which floating type a training step multiplies matrices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch

PRECISIONS = ("float32", "float32-ieee", "bfloat16")

INSTRUCTIONS = ("avx512_bf16", "amx_bf16")
"""What PyTorch calls the instructions for bfloat16 of an x86 processor."""


def check_precision(precision: str, device: torch.device) -> None:
    """Raise ``ValueError`` for an unknown precision; warn where it makes nothing faster.

    "float32" computes all in float32; a step on an NVIDIA GPU multiplies matrices with its tensor
    cores, which read float32 as TF32 (11 significant bits) and add up in float32. "float32-ieee"
    has products of all 24 bits there, too. "bfloat16" is PyTorch's autocast: projections and other
    matrix products read bfloat16 (8 significant bits) and hand it on, while tables, distances,
    losses, gradients of tables and the optimiser stay float32. Evaluation is in float32.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, expected one of {', '.join(PRECISIONS)}")
    if precision == "bfloat16" and not _multiplies_bfloat16(device):
        warnings.warn(
            f"the {device.type} here has no instructions for bfloat16: training is slower with "
            "precision='bfloat16' than without",
            stacklevel=3,
        )


def casting(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which a step's scores and loss are computed."""
    if precision != "bfloat16":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)


@contextmanager
def tensor_cores(precision: str, device: torch.device) -> Iterator[None]:
    """While it lasts, products of float32 matrices on a GPU read TF32, or all 24 bits.

    A whole training step is computed in it, the way back included. Where a program has chosen
    with PyTorch's settings for each backend, its choice stands.
    """
    before = _float32_products() if device.type == "cuda" else None
    if before is None:
        yield
        return
    torch.set_float32_matmul_precision("highest" if precision == "float32-ieee" else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


def _float32_products() -> str | None:
    """Return PyTorch's setting of float32 products; None where it has one for each backend."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


def _multiplies_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Older versions of PyTorch do not say what a processor has.
    found = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    if device.type != "cpu" or found.get("architecture") != "x86_64":
        return True
    return any(found.get(name, False) for name in INSTRUCTIONS)
