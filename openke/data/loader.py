"""What a loader is to a Trainer: batches by epoch, and what decided them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from openke.data.store import TripleStore

Prepared = TypeVar("Prepared")
Shard = tuple[int, int]
"""Rank and number of the processes that divide each batch among them."""
WHOLE: Shard = (0, 1)
PRODUCERS = 4
"""Threads that make batches for a GPU: it takes over 1,000 a second, one core makes some 600."""
Change = Callable[[Any], Any]
"""What becomes of a batch before it is handed out."""


def unchanged(batch: Any) -> Any:
    """Return the batch as it is."""
    return batch


class Trainable(Protocol):
    """A batch as a Trainer sees it; what is in it is between loader and strategy."""

    @property
    def share(self) -> float:
        """What a mean over this shard weighs in the mean over all shards."""

    def __len__(self) -> int:
        """Return how many facts or queries there are."""

    def to(self, device: torch.device) -> Any:
        """Return the batch on ``device``."""


class Loader(Protocol):
    """Batches of a train split; the same seed gives the same batches."""

    store: TripleStore

    @property
    def settings(self) -> Mapping[str, object]:
        """What decides the batches, as JSON values."""

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""

    def epoch(self, number: int) -> Iterator[Trainable]:
        """Iterate over the batches of epoch ``number``, counted from 0."""

    def prepare(self, change: Change = unchanged, *, pin: bool, shard: Shard = WHOLE) -> None:
        """Do in the background what a step would wait for, and take a shard of each batch.

        ``change`` is the strategy's: it finds out about a batch what its step will need. ``pin``
        puts batches where a GPU copies from. ``shard`` is rank and number of processes that share
        each batch: together they have what one alone would have.
        """


def ahead(
    prepare: Callable[[int], Prepared], count: int, name: str, workers: int = 1
) -> Iterator[Prepared]:
    """Iterate over ``prepare(0) … prepare(count - 1)``, made in the background in time.

    So many ``workers`` make one each; ``name`` is that of their threads.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix=name) as background:
        made = deque(background.submit(prepare, index) for index in range(min(workers, count)))
        for index in range(len(made), count):
            ready = made.popleft().result()
            made.append(background.submit(prepare, index))
            yield ready
        while made:
            yield made.popleft().result()


def producers(pinned: bool) -> int:
    """Return how many threads make batches: several where it is a GPU that waits for them."""
    return max(1, min(PRODUCERS, (os.cpu_count() or 1) - 1)) if pinned else 1


def weighed_shard(weight: Tensor, mine: slice) -> tuple[Tensor, float]:
    """Return the weights of a shard's items, and a factor of its :func:`shard_of` weight.

    A mean over a shard is by the weights of its items: so is what it counts for.
    """
    own = weight[mine]
    return own, float(own.sum() / weight.sum()) * len(weight) / len(own)


def shard_of(size: int, shard: Shard) -> tuple[slice, float]:
    """Return which of ``size`` items a process takes, and the weight of a mean over them.

    Where there are fewer items than processes, those that get none take the first, at weight 0.
    """
    rank, ranks = shard
    first, last = rank * size // ranks, (rank + 1) * size // ranks
    if first == last:
        return slice(0, 1), 0.0
    return slice(first, last), (last - first) * ranks / size
