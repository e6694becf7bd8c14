"""Which device computes, and from which seed."""

from __future__ import annotations

import warnings

import torch


def choose_device(
    device: str | torch.device | None = None, use_gpu: bool | None = None
) -> torch.device:
    """Return the device to compute on.

    Parameters
    ----------
    device
        "cpu", "cuda", "cuda:1", "mps"; "auto" or None takes CUDA, else MPS, else the CPU. A
        ``torch.device`` may also be "meta", on which shapes can be tried and nothing is computed.
    use_gpu
        OpenKE's switch: False is the CPU, True warns where there is no GPU and takes the CPU.

    Raises
    ------
    ValueError
        A device that this machine or this PyTorch does not have was asked for by name.
    """
    if device not in (None, "auto"):
        try:
            chosen = torch.device(device)
            torch.empty(1, device=chosen)
        except (RuntimeError, AssertionError) as error:
            raise ValueError(
                f"device {device!r} is not available here ({error}); use 'cpu' or 'auto'"
            ) from error
        if chosen.type == "meta" and isinstance(device, str):
            raise ValueError(f"device {device!r} computes nothing; use 'cpu' or 'auto'")
        return chosen
    if use_gpu is False:
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    if use_gpu:
        warnings.warn("use_gpu=True, but PyTorch finds no GPU: computing on the CPU", stacklevel=3)
    return torch.device("cpu")
