"""The facts that a model is made with."""

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


def _check_ids(owner: str, name: str, ids: Tensor, total: int) -> None:
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < total:
        raise ValueError(
            f"{owner}: triples have {name} from {int(ids.min())} to {int(ids.max())}, expected 0 "
            f"to {total - 1}: they belong to another graph"
        )
