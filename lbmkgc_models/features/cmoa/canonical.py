"""Where linear heads start: canonical correlations, shrunk."""

from __future__ import annotations

import torch
from torch import Tensor

SHRINKAGE = 0.01
"""Variance added to each direction, as a share of the whole: small data overstates correlations."""


def canonical_heads(image: Tensor, text: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Return linear maps under which the two modalities correlate the most.

    With ``C_vt = V'T / n``, ``C_v = V'V / n + λI`` and ``C_t`` alike,
    ``C_v^-1/2 C_vt C_t^-1/2 = P S Q'``; the maps are ``C_v^-1/2 P S^1/2`` and ``C_t^-1/2 Q S^1/2``:
    directions count by their correlation. It is the best that can be had without training, and
    gradient descent goes on from there; from random heads it ends at a worse place where entities
    are few.

    Parameters
    ----------
    image, text
        Float["n width"] each, centred, of length about 1, row i of the same entity.
    dim
        Directions wanted; where a width is less, the others are 0.

    Returns
    -------
    image, text
        Float["dim width"] each; mapped rows have length about 1.

    References
    ----------
    Hotelling, Relations between two sets of variates, 1936. Vinod, Canonical ridge and econometrics
    of joint production, 1976.
    """
    image, text = image.double(), text.double()
    of_image, of_text = _whitener(image), _whitener(text)
    left, sizes, right = torch.linalg.svd(of_image @ (image.T @ text / len(image)) @ of_text)
    scale = sizes.sqrt()[:dim]
    return (
        _weights(of_image @ left[:, : len(sizes)][:, :dim] * scale, image, dim),
        _weights(of_text @ right[: len(sizes)][:dim].T * scale, text, dim),
    )


def _whitener(rows: Tensor) -> Tensor:
    """Return the inverse root of the covariance, shrunk."""
    variances, directions = torch.linalg.eigh(rows.T @ rows / len(rows))
    scale = (variances.clamp_min(0) + SHRINKAGE).rsqrt()
    whitener: Tensor = directions * scale @ directions.T
    return whitener


def _weights(found: Tensor, rows: Tensor, dim: int) -> Tensor:
    length = (rows @ found).norm(dim=1).mean().clamp_min(1e-12)
    weights = torch.zeros(dim, len(found))
    weights[: found.shape[1]] = (found / length).T
    return weights
