"""Rotation: the tail is the head turned by the relation's phases, t = h e^{i theta}."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

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
    turned: Tensor = _Turn.apply(anchor, phase, 1 if side == "tail" else -1)
    return turned


class _Turn(torch.autograd.Function):
    """h e^{±i theta}; its derivatives are turns, too, in half the passes of autograd's."""

    @staticmethod
    def forward(ctx: Any, anchor: Tensor, phase: Tensor, sign: int) -> Tensor:
        cosine, sine = torch.cos(phase), torch.sin(phase) * sign
        turned = _turn(anchor, cosine, sine)
        ctx.sign = sign
        ctx.save_for_backward(turned, cosine, sine)
        return turned

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        turned, cosine, sine = ctx.saved_tensors
        real, imaginary = turned.chunk(2, dim=-1)
        # d turned / d theta = ± i turned
        along_real, along_imaginary = grad.chunk(2, dim=-1)
        of_phase = torch.addcmul(along_imaginary * real, along_real, imaginary, value=-1) * ctx.sign
        return _turn(grad, cosine, -sine), of_phase, None


def _turn(vectors: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    real, imaginary = vectors.chunk(2, dim=-1)
    return torch.cat(
        [
            torch.addcmul(real * cosine, imaginary, sine, value=-1),
            torch.addcmul(imaginary * cosine, real, sine),
        ],
        dim=-1,
    )
