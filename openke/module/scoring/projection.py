"""Entities as relations see them, for models where every relation has a view of its own.

Shapes: u distinct entities, p distinct pairs of an entity and a relation, n wherever one meets the
other, b positives of a batch, k and m all negatives and entity negatives of each.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from openke.data.batch import HEAD, RELATION, Batch
from openke.module.scoring.contract import Scorer
from openke.module.scoring.encodings import Encodings, count, take


class Meetings(NamedTuple):
    """Where a relation of a batch meets an entity: something for each of these places.

    A replacement is seen by the relation of its own query. Relation negatives r' are asked as
    (h, r', ?).
    """

    tail_query_head: Tensor
    """Any["b"]: h by r as tails are asked for"""
    tail_query_tail: Tensor
    """Any["b"]"""
    head_query_head: Tensor
    """Any["b"]: h by r as heads are asked for"""
    head_query_tail: Tensor
    """Any["b"]"""
    replacement: Tensor
    """Any["b*m"]"""
    other_head: Tensor
    """Any["b*(k-m)"]: h by r'"""
    other_tail: Tensor
    """Any["b*(k-m)"]"""

    def join(self) -> Tensor:
        """Return all of them, one after the other."""
        return torch.cat(self)

    def divide(self, joined: Tensor) -> Meetings:
        """Return what :meth:`join` made, or the like of it, in its parts again."""
        return Meetings(*torch.split(joined, [len(part) for part in self]))


def meeting_entities(batch: Batch) -> Meetings:
    """Return the entities that relations meet, as rows of the batch's distinct entities."""
    n = batch.relation_negatives
    head, tail, replacing = batch.head_index, batch.tail_index, batch.replacing_index
    return Meetings(
        *(head, tail, head, tail, replacing),
        *(head.repeat_interleave(n), tail.repeat_interleave(n)),
    )


def meeting_relations(batch: Batch, inverse_offset: int) -> Meetings:
    """Return the relations that meet entities, as :meth:`Scorer.effective_relation` returns them.

    ``inverse_offset`` is the model's.
    """
    by_tail = batch.positive[:, RELATION]
    by_head = by_tail + inverse_offset
    m = batch.negative.shape[1] - batch.relation_negatives
    by_slot = torch.where(batch.slot[:, :m] == HEAD, by_head[:, None], by_tail[:, None])
    other = batch.negative[:, m:].reshape(-1)
    return Meetings(by_tail, by_tail, by_head, by_head, by_slot.reshape(-1), other, other)


class Pairs(NamedTuple):
    """Distinct pairs of an entity and a relation that sees it."""

    entity: Tensor
    """Int["p"]: rows of encoded entities"""
    relation: Tensor
    """Int["p"], in increasing order"""
    at: Tensor
    """Int["n"]: the pair of each place where a relation meets an entity"""

    @classmethod
    def find(cls, entity: Tensor, relation: Tensor, entities: int) -> Pairs:
        """Return the distinct pairs of a row below ``entities`` and a relation, Int["n"] each."""
        pairs, index = torch.unique(relation * entities + entity, return_inverse=True)
        return cls(pairs % entities, pairs // entities, index)


def find_pairs(batch: Batch, inverse_offset: int) -> Pairs:
    """Return the pairs of a batch; :attr:`Pairs.at` is in the order of :class:`Meetings`.

    It waits for the device the batch is on, so it is found before the batch goes there.
    """
    entity = meeting_entities(batch).join()
    relation = meeting_relations(batch, inverse_offset).join()
    return Pairs.find(entity, relation, len(batch.entities))


def project_pairs(
    model: Scorer, encodings: Encodings, entity: Tensor, relation: Tensor
) -> tuple[Encodings, Tensor]:
    """Return entities as relations see them, each distinct pair once, and where each pair is.

    Parameters
    ----------
    model
        One that does not project entities gets ``encodings`` and ``entity`` back.
    encodings
        Encoded entities, named Float["u ..."].
    entity, relation : Int["n"]
        Pairs of a row of ``encodings`` and a relation, as :meth:`Scorer.effective_relation` returns
        it.

    Returns
    -------
    tuple
        The projected rows, named Float["p ..."], and Int["n"], the one of each pair.
    """
    if not model.projects_entities:
        return encodings, entity
    return _project(model, encodings, Pairs.find(entity, relation, count(encodings)))


def project_batch(model: Scorer, encodings: Encodings, batch: Batch) -> tuple[Encodings, Tensor]:
    """Return the encoded entities of a batch as :func:`project_pairs` does.

    Where each is stands in the order of :class:`Meetings`. Nothing waits for a GPU where the batch
    was prepared (:func:`prepare_batch`).
    """
    if not model.projects_entities:
        return encodings, meeting_entities(batch).join()
    prepared = batch.prepared
    pairs = Pairs(*prepared) if prepared else find_pairs(batch, model.inverse_offset)
    return _project(model, encodings, pairs)


def prepare_batch(model: Scorer, batch: Batch) -> Batch:
    """Return the batch with what a model that projects entities needs of it, found ahead of time.

    Shared negatives are then written out as each positive's own: they look different to every
    relation.
    """
    if not model.projects_entities:
        return batch
    return batch.with_prepared(find_pairs(batch.unshared(), model.inverse_offset))


def _project(model: Scorer, encodings: Encodings, pairs: Pairs) -> tuple[Encodings, Tensor]:
    return model.project(take(encodings, pairs.entity), pairs.relation), pairs.at
