"""Random numbers that are the same on every device."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BITS = 23
"""Of a number: with one more for the half that keeps it from 0, a float32 holds them exactly."""
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def uniform(seed: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Return Float[shape], uniform between 0 and 1, neither of them included.

    The n-th number is a hash of seed and n (SplitMix64). So nothing is drawn on the host and sent
    to the device, and a GPU draws what a CPU does.

    References
    ----------
    Steele et al., Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
    """
    size = 1
    for length in shape:
        size *= length
    start = _signed(_mix(seed * _STEP + _FIRST))
    x = torch.arange(size, device=device) * _signed(_STEP) + start
    x = (x ^ _shift(x, 30)) * _signed(_FIRST)
    x = (x ^ _shift(x, 27)) * _signed(_SECOND)
    x = x ^ _shift(x, 31)
    whole = _shift(x, 64 - BITS).to(torch.float32)
    return ((whole + 0.5) * 2.0**-BITS).view(shape)


def normal(seed: int, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Return Float[shape], normal with mean 0 and variance 1, made of :func:`uniform` numbers.

    Devices agree but for the rounding of one function.
    """
    return torch.erfinv(2 * uniform(seed, shape, device) - 1) * math.sqrt(2)


def _shift(x: Tensor, bits: int) -> Tensor:
    """Return 64 bits shifted to the right, zeros coming in from the left."""
    shifted: Tensor = (x >> bits) & ((1 << (64 - bits)) - 1)
    return shifted


def _mix(x: int) -> int:
    x %= 2**64
    x = ((x ^ (x >> 30)) * _FIRST) % 2**64
    x = ((x ^ (x >> 27)) * _SECOND) % 2**64
    return x ^ (x >> 31)


def _signed(bits: int) -> int:
    """Return 64 bits as the number that PyTorch takes them for."""
    bits %= 2**64
    return bits - 2**64 if bits >= 2**63 else bits
