"""Queries (h, r, ?) and (?, r, t) of a training step, with their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from openke.data.movable import Movable


@dataclass(frozen=True)
class QueryBatch(Movable):
    """Queries about tails, then queries about heads, and what answers them.

    Attributes
    ----------
    anchor, relation : Int["q"]
        What is given: the head where the tail is asked for, else the tail; and the relation.
    tails : int
        How many ask for a tail; they stand first.
    answer : Int["n"]
        The answers, query by query.
    offsets : Int["q+1"] or None
        Where each query's answers begin and end; None: each has one.
    ends : Int["q+1"] or None
        ``offsets`` on the host, wherever the batch is: sizes that a step need not wait for. Made
        of ``offsets`` where they are not given.
    weight : Float["q"] or None
        How much each query counts in a mean; None: all the same.
    share : float
        What a mean over this batch weighs, where several processes have a shard of it each.
    """

    stays: ClassVar[tuple[str, ...]] = ("ends",)

    anchor: Tensor
    relation: Tensor
    tails: int
    answer: Tensor
    offsets: Tensor | None = None
    ends: Tensor | None = None
    weight: Tensor | None = None
    share: float = 1.0

    def __post_init__(self) -> None:
        """Keep the offsets on the host, too."""
        if self.offsets is not None and self.ends is None:
            object.__setattr__(self, "ends", self.offsets.cpu())

    def __len__(self) -> int:
        """Return the number of queries."""
        return len(self.anchor)
