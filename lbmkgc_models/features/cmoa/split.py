"""Which entities are held out, by a hash of the name: the same in any order and on any machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def held_out(names: Sequence[str], share: float, seed: int) -> Tensor:
    """Return Bool["n"], about ``share`` of it true.

    Whether a name is held out depends on nothing but the name and the seed: it stays held out when
    entities are added, and for features of any encoder.
    """
    return torch.tensor([_place(name, seed) < share for name in names], dtype=torch.bool)


def _place(name: str, seed: int) -> float:
    """Return a number in [0, 1) that looks random."""
    digest = hashlib.sha256(f"{seed} {name}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
