"""A batch of positive triples and what replaces one slot of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import torch
from torch import Tensor

Side = Literal["head", "tail"]
HEAD, RELATION, TAIL = 0, 1, 2
"""The slots of a triple, as columns of ``positive`` and as values of ``slot``."""

Data = dict[str, Any]
"""OpenKE's batch: ``batch_h``, ``batch_t``, ``batch_r``, ``mode`` and in training ``batch_y``."""


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
    """

    positive: Tensor
    negative: Tensor
    slot: Tensor
    side: Literal["head", "tail", "mixed"]
    entities: Tensor
    index: Tensor
    mask: Tensor | None = None
    relation_negatives: int = 0

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

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=True)

        return Batch(
            move(self.positive),
            move(self.negative),
            move(self.slot),
            self.side,
            move(self.entities),
            move(self.index),
            None if self.mask is None else move(self.mask),
            self.relation_negatives,
        )

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
