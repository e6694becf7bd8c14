"""A batch of positive triples and what replaces one slot of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

Side = Literal["head", "tail"]
HEAD, RELATION, TAIL = 0, 1, 2
"""The slots of a triple, as columns of ``positive`` and as values of ``slot``."""

Data = dict[str, Any]
"""OpenKE's batch: ``batch_h``, ``batch_t``, ``batch_r``, ``mode`` and in training ``batch_y``."""


class Pairs(NamedTuple):
    """Distinct pairs of an entity and a relation that sees it."""

    entity: Tensor
    """Int["p"]: rows of the batch's distinct entities"""
    relation: Tensor
    """Int["p"], in increasing order"""
    at: Tensor
    """Int["n"]: the pair of each place where a relation meets an entity"""
    inverses: int
    """What questions about heads add to their relation, see :attr:`Model.inverses`"""


@dataclass(frozen=True)
class Batch:
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
    pairs : Pairs or None
        What models need whose entities look different to every relation; of :meth:`unshared`.
    share : float
        What a mean over this batch weighs, where several processes have a part of it each.
    """

    positive: Tensor
    negative: Tensor
    slot: Tensor
    side: Literal["head", "tail", "mixed"]
    entities: Tensor
    index: Tensor
    mask: Tensor | None = None
    relation_negatives: int = 0
    pairs: Pairs | None = None
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

    def to(self, device: torch.device) -> Batch:
        """Return the batch on ``device``, copied asynchronously where that is possible."""
        if device == self.positive.device:
            return self
        return self._map(lambda tensor: tensor.to(device, non_blocking=True))

    def pin(self) -> Batch:
        """Return the batch in pinned memory, from which copies to a GPU run asynchronously."""
        return self._map(Tensor.pin_memory)

    def unshared(self) -> Batch:
        """Return the batch with the shared negatives written out as each positive's own."""
        if not self.shared:
            return self
        b, k = len(self), len(self.negative)
        return replace(
            self,
            negative=self.negative.expand(b, k),
            slot=self.slot[:, None].expand(b, k),
            index=torch.cat([self.index[: 2 * b], self.index[2 * b :].repeat(b)]),
        )

    def with_pairs(self, inverses: int = 0) -> Batch:
        """Return the batch with its :class:`Pairs`; waits for the device the batch is on."""
        if self.pairs is not None and self.pairs.inverses == inverses:
            return self
        return replace(self, pairs=_find_pairs(self.unshared(), inverses))

    def _map(self, function: Callable[[Tensor], Tensor]) -> Batch:
        changed: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changed[field.name] = function(value)
            elif isinstance(value, Pairs):
                entity, relation, at = map(function, value[:3])
                changed[field.name] = Pairs(entity, relation, at, value.inverses)
        return replace(self, **changed)

    def _column(self, slot: int) -> Tensor:
        original = self.positive[:, slot, None]  # [b 1]
        replaced = self.slot if not self.shared else self.slot[:, None]  # [b k] or [b 1]
        columns = torch.where(replaced == slot, self.negative, original)
        return torch.cat([original, columns], dim=1)

    @cached_property
    def _data(self) -> Data:
        return training_data(self)


def find_pairs(entity: Tensor, relation: Tensor, entities: int, inverses: int = 0) -> Pairs:
    """Return the distinct ones of pairs of a row below ``entities`` and a relation, Int["n"]."""
    pairs, index = torch.unique(relation * entities + entity, return_inverse=True)
    return Pairs(pairs % entities, pairs // entities, index, inverses)


def _find_pairs(batch: Batch, inverses: int) -> Pairs:
    """Return h and t by r as tails are asked for, then as heads are, the others, h and t by r'.

    A replacement is seen by the relation of its own question.
    """
    by_tail = batch.positive[:, RELATION]
    by_head = by_tail + inverses
    b, k = batch.negative.shape
    n = batch.relation_negatives
    by_slot = torch.where(batch.slot[:, : k - n] == HEAD, by_head[:, None], by_tail[:, None])
    other = batch.negative[:, k - n :].reshape(-1)
    head_row, tail_row = batch.index[:b], batch.index[b : 2 * b]
    entity = [head_row, tail_row, batch.index]
    entity += [head_row.repeat_interleave(n), tail_row.repeat_interleave(n)]
    seen_by = [by_tail, by_tail, by_head, by_head, by_slot.reshape(-1), other, other]
    return find_pairs(torch.cat(entity), torch.cat(seen_by), len(batch.entities), inverses)


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
