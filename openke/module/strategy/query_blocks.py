"""A batch of queries, divided so that scores of all entities fit in memory.

Shapes: q queries, e entities, n right answers of all queries together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.data.query_batch import QueryBatch
from openke.module.model.model import Model
from openke.module.model.reciprocal import Reciprocal
from openke.module.penalty import Facts

LOGITS_BYTES = 256 * 2**20
"""Size of the scores [q, e] held at a time, forwards and backwards."""


class Block(NamedTuple):
    """Queries about one slot that are scored together."""

    side: Side
    anchor: Tensor
    relation: Tensor
    answer: Tensor
    offsets: Tensor | None
    weight: Tensor | None


def as_asked(model: Model, batch: QueryBatch) -> tuple[Model, QueryBatch]:
    """Return what answers, and the queries it is asked: with inverses, all about tails."""
    if not isinstance(model, Reciprocal):
        return model, batch
    tails, heads = batch.relation[: batch.tails], batch.relation[batch.tails :]
    asked = torch.cat(
        [model.effective_relation(tails, "tail"), model.effective_relation(heads, "head")]
    )
    return model.inner, replace(batch, relation=asked, tails=len(batch))


def facts(batch: QueryBatch) -> Facts:
    """Return a fact for each answer."""
    if batch.offsets is None:
        return Facts(batch.anchor, batch.relation, batch.answer, batch.tails)
    counts, n = batch.offsets.diff(), len(batch.answer)
    asked = torch.arange(len(batch), device=counts.device).repeat_interleave(counts, output_size=n)
    assert batch.ends is not None
    tails = int(batch.ends[batch.tails])  # how many answer a query about a tail
    return Facts(batch.anchor[asked], batch.relation[asked], batch.answer, tails)


def blocks(model: Model, batch: QueryBatch) -> Iterator[tuple[Block, bool]]:
    """Divide a batch by slot, and say for each block whether its scores must not be kept.

    A model that projects entities gets blocks of one relation: all entities as one relation sees
    them are as large as a whole table. All others get blocks of at most LOGITS_BYTES, without
    waiting for the device.
    """
    most = max(1, LOGITS_BYTES // (4 * model.ent_tot))
    large = model.projects_entities or len(batch) > most
    sides: tuple[tuple[Side, int, int], ...] = (
        ("tail", 0, batch.tails),
        ("head", batch.tails, len(batch)),
    )
    for side, begin, end in sides:
        if model.projects_entities:
            for part in _of_one_relation(batch, begin, end, most):
                asked, weight = (batch.anchor[part], batch.relation[part]), _weight(batch, part)
                yield Block(side, *asked, *_answers(batch, part), weight), large
        elif large:
            for first in range(begin, end, most):
                yield _stretch(batch, side, first, min(first + most, end)), large
        # No range here: a compiled step would be compiled again for each number of tails.
        elif begin < end:
            yield _stretch(batch, side, begin, end), large


def _stretch(batch: QueryBatch, side: Side, first: int, last: int) -> Block:
    """Return the queries in [first, last)."""
    part = slice(first, last)
    anchor, relation, weight = batch.anchor[part], batch.relation[part], _weight(batch, part)
    if batch.offsets is None:
        return Block(side, anchor, relation, batch.answer[part], None, weight)
    assert batch.ends is not None
    begin, end = int(batch.ends[first]), int(batch.ends[last])
    answer, offsets = batch.answer[begin:end], batch.offsets[first : last + 1] - begin
    return Block(side, anchor, relation, answer, offsets, weight)


def _weight(batch: QueryBatch, part: slice | Tensor) -> Tensor | None:
    return None if batch.weight is None else batch.weight[part]


def _of_one_relation(batch: QueryBatch, begin: int, end: int, most: int) -> Iterator[Tensor]:
    """Divide the rows [begin, end) of a batch by relation, at most so many together."""
    relation = batch.relation[begin:end]
    order = torch.argsort(relation, stable=True)
    _, sizes = torch.unique_consecutive(relation[order], return_counts=True)
    for group in torch.split(order + begin, sizes.tolist()):
        yield from torch.split(group, most) if len(group) else ()


def _answers(batch: QueryBatch, rows: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the answers to the queries in ``rows`` and where each one's begin and end."""
    if batch.offsets is None:
        return batch.answer[rows], None
    counts = batch.offsets.diff()[rows]
    ends = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    first = torch.repeat_interleave(batch.offsets[rows] - ends[:-1], counts)
    return batch.answer[first + torch.arange(len(first), device=rows.device)], ends
