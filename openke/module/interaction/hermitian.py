"""Hermitian product of complex vectors: Re sum_k h_k r_k conj(t_k)."""

import torch
from torch import Tensor

from openke.data.batch import Side


def query(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return the vector whose dot product with the answer is Re <h, r, conj t>.

    It is h r for tails and t conj(r) for heads, since Re(q conj(c)) is the dot product of the
    reals of q and c.

    Parameters
    ----------
    anchor : Float["q 2d"]
        Vector of the known entity: d real parts, then d imaginary parts.
    relation : Float["q 2d"]
        Vector of the relation, likewise.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["q 2d"]

    References
    ----------
    Trouillon et al., Complex Embeddings for Simple Link Prediction, ICML 2016.
    """
    real, imaginary = anchor.chunk(2, dim=-1)
    r_real, r_imaginary = relation.chunk(2, dim=-1)
    if side == "head":
        r_imaginary = -r_imaginary
    return torch.cat(
        [real * r_real - imaginary * r_imaginary, real * r_imaginary + imaginary * r_real], dim=-1
    )


def relation_query(head: Tensor, tail: Tensor) -> Tensor:
    """Return conj(h) t, whose dot product with r is Re <h, r, conj t>, Float["q 2d"]."""
    h_real, h_imaginary = head.chunk(2, dim=-1)
    return query(torch.cat([h_real, -h_imaginary], dim=-1), tail, "tail")


def modulus(rows: Tensor) -> Tensor:
    """Return Float["u d"], sqrt(re^2 + im^2) of Float["u 2d"], with no gradient at zero."""
    real, imaginary = rows.chunk(2, dim=-1)
    squares = real.square() + imaginary.square()
    zero = squares == 0
    return squares.masked_fill(zero, 1.0).sqrt().masked_fill(zero, 0.0)
