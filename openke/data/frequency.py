"""How much a fact weighs that is one of many like it."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

START = 4
"""What counts begin with, so that a fact seen once does not outweigh all others."""


def frequency_weights(triples: NDArray[np.int64]) -> Tensor:
    """Return (n(h, r) + n(r, t))^-1/2 of each triple, Float["n"], as float32.

    n(h, r) is how many of the triples (Int["n 3"]: head, relation, tail) have this head and
    relation, n(r, t) how many have this relation and tail, both counted from :data:`START`.

    References
    ----------
    Mikolov et al., NIPS 2013, for subsampling of frequent words; Sun et al., RotatE, ICLR 2019,
    whose code weighs triples so.
    """
    head, relation, tail = np.asarray(triples, np.int64).T
    total = _alike(head, relation) + _alike(tail, relation) + 2 * START
    return torch.from_numpy((1 / np.sqrt(total)).astype(np.float32))


def answer_weights(answers: NDArray[np.int64], entities: int) -> Tensor:
    """Return 0.1 + 0.9 n / max n of each entity, Float["entities"], as float32.

    n is how often it is among ``answers``, Int["n"]: the right answers to all train queries.

    References
    ----------
    Cao et al., OTKGE, NeurIPS 2022, whose code weighs the cross entropy so.
    """
    counts = np.bincount(answers, minlength=entities)
    return torch.from_numpy((0.1 + 0.9 * counts / max(1, counts.max())).astype(np.float32))


def _alike(entity: NDArray[np.int64], relation: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many others have the same entity and relation, Int["n"]."""
    if not len(entity):
        return np.zeros(0, np.int64)
    key = entity * (relation.max() + 1) + relation
    _, where, counts = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(counts[where] - 1, np.int64)
