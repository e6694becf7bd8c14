"""Circular correlation: sum_k r_k sum_i h_i t_(i+k), indices modulo d."""

import torch
from torch import Tensor

from openke.data.batch import Side


def query(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return the vector whose dot product with the answer is r . (h star t).

    For tails it is the circular convolution of h and r, (h * r)_j = sum_i h_i r_(j-i); for heads
    the circular correlation of r and t, (r star t)_i = sum_k r_k t_(i+k); both by FFT.

    Parameters
    ----------
    anchor : Float["q d"]
        Vector of the known entity.
    relation : Float["q d"]
        Vector of the relation.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["q d"]

    References
    ----------
    Nickel et al., Holographic Embeddings of Knowledge Graphs, AAAI 2016, Eq. 3-4.
    """
    known, r = torch.fft.rfft(anchor), torch.fft.rfft(relation)
    spectrum = known * (r if side == "tail" else r.conj())
    vector: Tensor = torch.fft.irfft(spectrum, n=anchor.shape[-1])
    return vector
