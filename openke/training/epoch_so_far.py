"""The first steps of an epoch, and how to go on after them when a signal broke it off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import torch
from torch import Tensor

T = TypeVar("T")
RandomState = dict[str, Tensor]


@dataclass(frozen=True, kw_only=True)
class EpochSoFar:
    """What the first steps of an epoch leave to the others, beside weights and optimiser.

    Batches depend on the loader's seed and their place in the epoch alone, so the ones that were
    trained on need not be kept: they are drawn again and left out.
    """

    at_start: RandomState
    """Random numbers as the epoch began with them, for a loader that draws from them."""
    now: RandomState
    """Random numbers as the next step needs them."""
    step: int = 0
    """Steps done."""
    total: float = 0.0
    """Sum of their losses."""
    positives: int = 0
    """Triples or queries in them."""
    seconds: float = 0.0
    """What they took."""

    @classmethod
    def none(cls, device: torch.device) -> EpochSoFar:
        """Return an epoch without a step yet."""
        state = random_state(device)
        return cls(at_start=state, now=state)

    def rest(self, batches: Iterator[T], device: torch.device) -> Iterator[T]:
        """Return what follows the batches already trained on."""
        if self.step:
            for _ in islice(batches, self.step):
                pass
            restore_random_state(device, self.now)
        return batches


def random_state(device: torch.device) -> RandomState:
    """Return PyTorch's random numbers: the CPU's, and those of the GPU that is used."""
    state = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        state["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    return state


def restore_random_state(device: torch.device, state: RandomState) -> None:
    """Go on with the random numbers of :func:`random_state`."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
    elif device.type == "mps" and "mps" in state:
        torch.mps.set_rng_state(state["mps"])
