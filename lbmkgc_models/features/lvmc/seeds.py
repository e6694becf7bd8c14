"""One seed and one stream of noise per entity, whatever its batch, its order or the machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def seed_of(entity: str, run_seed: int = 0) -> int:
    """Return the first 63 bits of the SHA-256 of the run's seed and an entity's name."""
    digest = hashlib.sha256(f"{run_seed}\n{entity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generators(seeds: Sequence[int]) -> list[Generator]:
    """Return a generator per entity, on the CPU: GPUs draw other numbers from the same seed.

    PyTorch's CPU generator reads the low 32 bits of a seed. Among 15,000 entities two share their
    noise once in 38 runs; their prompts still make them different pictures.
    """
    return [Generator().manual_seed(seed) for seed in seeds]


def initial_noise(streams: Sequence[Generator], shape: tuple[int, int, int]) -> Tensor:
    """Return ``z_T ~ N(0, I)``, Float["n channels height width"], a draw from each stream.

    Drawn in float32 whatever the model's type, so that half precision starts from the same noise.
    """
    return torch.stack([torch.randn(shape, generator=stream) for stream in streams])
