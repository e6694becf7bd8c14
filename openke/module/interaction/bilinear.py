"""Bilinear form: h^T M t with a matrix for each relation."""

from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction import matrix


def query(anchor: Tensor, matrices: Tensor, index: Tensor, side: Side) -> Tensor:
    """Return the vector whose dot product with the answer is h^T M t.

    It is M^T h for tails and M t for heads.

    Parameters
    ----------
    anchor : Float["q d"]
        Vector of the known entity.
    matrices : Float["m d d"]
        Matrices of relations.
    index : Int["q"]
        The matrix of each query.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["q d"]

    References
    ----------
    Nickel et al., A Three-Way Model for Collective Learning on Multi-Relational Data, ICML 2011.
    """
    # As row vectors: h M for tails, t M^T for heads.
    return matrix.project(anchor, matrices if side == "tail" else matrices.mT, index)
