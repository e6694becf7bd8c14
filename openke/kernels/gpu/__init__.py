"""The score kernels in Triton, for NVIDIA and AMD GPUs: no temporary of a row a pair is written.

What each computes is :mod:`openke.kernels.compare_reference`'s, summed in float32. Sums are in an
order that the arguments decide, so the same arguments give the same bits.
"""

from __future__ import annotations

import importlib.util

import torch
from torch import Tensor

from openke.kernels.compiled import wanted

TYPES = (torch.float32, torch.bfloat16, torch.float16)
_there = importlib.util.find_spec("triton") is not None


def in_triton(tensor: Tensor) -> bool:
    """Return whether these kernels take a tensor: of a GPU, of one of their types, if allowed."""
    return (
        tensor.device.type == "cuda" and tensor.dtype in TYPES and _there and wanted(tensor.device)
    )
