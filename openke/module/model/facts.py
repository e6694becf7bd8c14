"""The facts that a model is made with.

Shapes: n facts, e entities.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from openke.data.batch import HEAD, RELATION, TAIL


def checked_facts(owner: str, triples: ArrayLike, ent_tot: int, rel_tot: int) -> Tensor:
    """Return triples as a tensor, Int["n 3"].

    Raises
    ------
    ValueError
        Ids that the graph does not have.
    """
    rows = torch.from_numpy(np.array(triples, np.int64).reshape(-1, 3))
    _check_ids(owner, "entities", rows[:, [HEAD, TAIL]], ent_tot)
    _check_ids(owner, "relations", rows[:, RELATION], rel_tot)
    return rows


def seen_in(facts: Tensor, ent_tot: int) -> Tensor:
    """Return which entities are in some fact (Int["n 3"]), Bool["e"]; without facts all are."""
    seen = torch.full((ent_tot,), not len(facts))
    seen[facts[:, [HEAD, TAIL]].flatten()] = True
    return seen


def drawn(known: Tensor, count: int, seed: int) -> Tensor:
    """Return ids, Int["count"] or fewer, drawn among those that are known, Bool["e"]."""
    candidates = known.nonzero()[:, 0]
    generator = torch.Generator().manual_seed(seed)
    return candidates[torch.randperm(len(candidates), generator=generator)[:count]]


def _check_ids(owner: str, name: str, ids: Tensor, total: int) -> None:
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < total:
        raise ValueError(
            f"{owner}: triples have {name} from {int(ids.min())} to {int(ids.max())}, expected 0 "
            f"to {total - 1}: they belong to another graph"
        )
