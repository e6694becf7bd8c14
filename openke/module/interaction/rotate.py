"""Rotation: the tail is the head turned by the relation's phases, t = h e^{i theta}."""

import torch
from torch import Tensor

from openke.data.batch import Side


def query(anchor: Tensor, phase: Tensor, side: Side) -> Tensor:
    """Return where the answer should lie: h e^{i theta} for tails, t e^{-i theta} for heads.

    A rotation keeps distances, so |h e^{i theta} - t| = |h - t e^{-i theta}| and both sides are
    compared in the same way.

    Parameters
    ----------
    anchor : Float["q 2d"]
        Vector of the known entity: d real parts, then d imaginary parts.
    phase : Float["q d"]
        Phases of the relation in radians.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["q 2d"]

    References
    ----------
    Sun et al., RotatE, ICLR 2019; LBMKGC Eq. 12.
    """
    real, imaginary = anchor.chunk(2, dim=-1)
    cosine = torch.cos(phase)
    sine = torch.sin(phase) if side == "tail" else -torch.sin(phase)
    return torch.cat([real * cosine - imaginary * sine, real * sine + imaginary * cosine], dim=-1)
