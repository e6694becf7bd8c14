"""Which part of the work a process does, as torchrun numbers processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

Item = TypeVar("Item")


@dataclass(frozen=True)
class Rank:
    """One of ``world`` processes, on one or several machines; they need not know of each other."""

    rank: int = 0
    world: int = 1
    local: int = 0
    """Number among the processes of its machine, and of its GPU."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Rank:
        """Return the rank that torchrun says in RANK, WORLD_SIZE and LOCAL_RANK, else the only one.

        Raises
        ------
        ValueError
            Values that are no numbers or out of range.
        """
        given = {name: environment.get(name) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
        try:
            rank, world, local = (
                default if value is None else int(value)
                for value, default in zip(given.values(), (0, 1, 0), strict=True)
            )
        except ValueError:
            rank, world, local = -1, 0, -1
        if not (0 <= rank < world and local >= 0):
            said = " ".join(f"{name}={value}" for name, value in given.items())
            raise ValueError(
                f"environment {said}: expected numbers from 0, RANK below WORLD_SIZE, as torchrun "
                "sets them"
            )
        return cls(rank, world, local)

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return every ``world``-th of all items: no two processes have one in common.

        All items, not those still to do: processes that start at different times see different
        ones done, and would pass some by.
        """
        return items[self.rank :: self.world]

    def device(self, name: str) -> str:
        """Return "cuda:LOCAL_RANK" for "cuda", and for "auto" where there are GPUs."""
        if name == "cuda" or (name == "auto" and torch.cuda.is_available()):
            return f"cuda:{self.local}"
        return name
