"""Contrast: a row is to be more like another view of itself than like those of other rows."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def info_nce(rows: Tensor, views: Tensor, temperature: float) -> Tensor:
    """Return the mean cross entropy of each row's own view among all views, by their cosines.

    Parameters
    ----------
    rows, views : Float["n d"]
        Vectors, and a view of each.
    temperature
        Divides the cosines.

    References
    ----------
    van den Oord et al., Representation Learning with Contrastive Predictive Coding, 2018.
    """
    logits = normalize(rows) @ normalize(views).T / temperature
    return cross_entropy(logits, torch.arange(len(rows), device=rows.device))
