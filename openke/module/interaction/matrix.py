"""A matrix for each relation, multiplied with all vectors that meet it at once."""

import torch
from torch import Tensor


def project(vectors: Tensor, matrices: Tensor, index: Tensor) -> Tensor:
    """Return v_i M_index(i) for each row vector v_i.

    Vectors are grouped by matrix, so that no [p, d, k] array of copied matrices is made.

    Parameters
    ----------
    vectors : Float["p d"]
        Row vectors.
    matrices : Float["m d k"]
        The matrices.
    index : Int["p"]
        The matrix of each vector.

    Returns
    -------
    Float["p k"]

    References
    ----------
    Lin et al., Learning Entity and Relation Embeddings for Knowledge Graph Completion, AAAI 2015.
    """
    order = torch.argsort(index, stable=True)
    sizes = torch.bincount(index, minlength=len(matrices)).tolist()
    groups = torch.split(vectors[order], sizes)
    # unbind, not indexing: its gradient is one stack, not a zero-filled [m d k] for each matrix.
    products = [g @ matrix for g, matrix in zip(groups, matrices.unbind(), strict=True)]
    return torch.cat(products)[torch.argsort(order)]
