"""A batch of positive triples and what replaces one slot of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

from openke.data.movable import Movable

Side = Literal["head", "tail"]
CorruptedSide = Literal["head", "tail", "mixed"]
"""The entity slots that negatives replace; "mixed" where some replace heads and some tails."""
HEAD, RELATION, TAIL = 0, 1, 2
"""The slots of a triple, as columns of ``positive`` and as values of ``slot``."""

Data = dict[str, Any]
"""OpenKE's batch: ``batch_h``, ``batch_t``, ``batch_r``, ``mode`` and in training ``batch_y``."""


@dataclass(frozen=True)
class Batch(Movable):
    """Positive triples and their negatives, written as replacements of one slot each.

    Attributes
    ----------
    positive : Int["b 3"]
        Facts (head, relation, tail).
    negative : Int["b k"] or Int["k"]
        Ids that replace a slot: each positive's own, or one set shared by the batch.
    slot : UInt8["b k"] or UInt8["b"]
        The slot replaced; with a shared set, one slot per positive.
    side : "head", "tail" or "mixed"
        The entity slots that occur in ``slot``, known without looking at the device.
    entities : Int["u"]
        The distinct entities of the batch.
    index : Int["2b+n"]
        Where in ``entities`` each head, each tail and each replacing entity stands.
    mask : Bool["b k"] or None
        Shared negatives that are facts after all and must not be counted.
    relation_negatives : int
        How many of the last columns of ``negative`` are relations.
    prepared : tuple of Tensor
        What a strategy found out about the batch ahead of time; only it knows what that is.
    weight : Float["b"] or None
        What each positive and its negatives weigh in the loss; None: all the same.
    share : float
        What a mean over this batch weighs, where several processes have a shard of it each.
    """

    positive: Tensor
    negative: Tensor
    slot: Tensor
    side: CorruptedSide
    entities: Tensor
    index: Tensor
    mask: Tensor | None = None
    relation_negatives: int = 0
    prepared: tuple[Tensor, ...] = ()
    weight: Tensor | None = None
    share: float = 1.0

    def __len__(self) -> int:
        """Return the number of positive triples."""
        return self.positive.shape[0]

    def __getitem__(self, name: str) -> Any:
        """Return an entry of OpenKE's dict, such as ``batch["batch_h"]``."""
        return self._data[name]

    @property
    def shared(self) -> bool:
        """Whether all positives share one set of negatives."""
        return self.negative.dim() == 1

    @property
    def head(self) -> Tensor:
        """Int["b 1+k"]: heads, the positive's first."""
        return self._column(HEAD)

    @property
    def relation(self) -> Tensor:
        """Int["b 1+k"]: relations, the positive's first."""
        return self._column(RELATION)

    @property
    def tail(self) -> Tensor:
        """Int["b 1+k"]: tails, the positive's first."""
        return self._column(TAIL)

    @property
    def head_index(self) -> Tensor:
        """Int["b"]: where in ``entities`` each head stands."""
        return self.index[: len(self)]

    @property
    def tail_index(self) -> Tensor:
        """Int["b"]: where in ``entities`` each tail stands."""
        return self.index[len(self) : 2 * len(self)]

    @property
    def replacing_index(self) -> Tensor:
        """Int["n"]: where in ``entities`` each entity stands that replaces another."""
        return self.index[2 * len(self) :]

    def padded(self, bound: int) -> Batch:
        """Return the batch with one of few numbers of entities, at most ``bound``, the graph's.

        The last one stands there again until they are as many: it is looked up more often, and
        nothing else changes. So steps of many batches have tensors of the same shapes.
        """
        u = len(self.entities)
        step = 1 << max(4, u.bit_length() - 4)  # at most an eighth more, or 15
        more = max(0, min(-u % step, bound - u))
        filled = torch.cat([self.entities, self.entities[-1:].expand(more)])
        return replace(self, entities=filled)

    def unshared(self) -> Batch:
        """Return the batch with the shared negatives written out as each positive's own."""
        if not self.shared:
            return self
        b, k = len(self), len(self.negative)
        return replace(
            self,
            negative=self.negative.expand(b, k),
            slot=self.slot[:, None].expand(b, k),
            index=torch.cat([self.index[: 2 * b], self.replacing_index.repeat(b)]),
        )

    def check_own(self, owner: str) -> None:
        """Raise ``ValueError`` unless each positive has its own negatives, all of them entities."""
        require_own(owner, shared=self.shared, relations=self.relation_negatives)

    def choose(self, columns: Tensor) -> Batch:
        """Return the batch with some of each positive's own negatives: columns Int["b n"].

        Its entities stay as they are, those that no negative needs any longer included.

        Raises
        ------
        ValueError
            As for :meth:`check_own`.
        """
        self.check_own("Batch.choose")
        replacing = self.replacing_index.view(self.negative.shape).gather(1, columns)
        return replace(
            self,
            negative=self.negative.gather(1, columns),
            slot=self.slot.gather(1, columns),
            index=torch.cat([self.index[: 2 * len(self)], replacing.reshape(-1)]),
            prepared=(),
        )

    def with_prepared(self, prepared: tuple[Tensor, ...]) -> Batch:
        """Return the batch with what a strategy found out about it."""
        return replace(self, prepared=prepared)

    def _column(self, slot: int) -> Tensor:
        original = self.positive[:, slot, None]  # [b 1]
        replaced = self.slot if not self.shared else self.slot[:, None]  # [b k] or [b 1]
        columns = torch.where(replaced == slot, self.negative, original)
        return torch.cat([original, columns], dim=1)

    @cached_property
    def _data(self) -> Data:
        return training_data(self)


def training_data(batch: Batch) -> Data:
    """Return a batch as OpenKE's dict."""
    # [b 1+k] -> [1+k b] -> [(1+k) b]: blocks of b, the positives first
    data: Data = {
        "batch_h": batch.head.t().reshape(-1),
        "batch_t": batch.tail.t().reshape(-1),
        "batch_r": batch.relation.t().reshape(-1),
        "mode": "normal",
    }
    labels = torch.full((len(data["batch_h"]),), -1.0, device=batch.positive.device)
    labels[: len(batch)] = 1.0
    data["batch_y"] = labels
    if batch.side != "mixed" and not batch.relation_negatives:
        kept, column = ("batch_t", TAIL) if batch.side == "head" else ("batch_h", 0)
        data[kept] = batch.positive[:, column]
        data["batch_r"] = batch.positive[:, RELATION]
        data["mode"] = f"{batch.side}_batch"
    return data


def require_own(owner: str, *, shared: bool, relations: int) -> None:
    """Raise ``ValueError`` where negatives are shared, or some of a positive replace relations."""
    if shared or relations:
        found = (
            "shared ones: set negatives to own"
            if shared
            else f"neg_rel {relations}, negatives that replace relations: set neg_rel to 0"
        )
        raise ValueError(
            f"{owner}: expected entity negatives of each positive's own, found {found}"
        )
