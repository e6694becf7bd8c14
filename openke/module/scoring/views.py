"""What the views of an entity are like, before any batch is there."""

from __future__ import annotations

import torch

from openke.module.scoring.contract import Scorer

STRUCTURE = "entity"
"""The view that every model with views has."""


def view_widths(model: Scorer) -> dict[str, int]:
    """Return how many numbers a row of each of :meth:`.Scorer.views` has, where there are rows.

    It draws no random numbers that anybody else would have drawn.
    """
    device = next(model.parameters()).device
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        views = model.views(torch.zeros(1, dtype=torch.long, device=device))
    return {name: rows.shape[1] for name, rows in views.items() if rows.dim() == 2}
