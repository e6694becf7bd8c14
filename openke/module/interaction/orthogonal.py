"""Orthogonal transforms of groups of coordinates, each coordinate scaled besides.

Shapes: p vectors, m relations, g groups of s coordinates each, d = g s reals per vector.
"""

import torch
from torch import Tensor

from openke.data.batch import Side
from openke.module.interaction.matrix import may_ask, project
from openke.module.scoring.compare import Compare


def gram_schmidt(matrices: Tensor) -> Tensor:
    """Return Float["… s s"], the rows of ``matrices`` made orthonormal one after the other.

    They are those of a QR decomposition whose triangle has a positive diagonal.
    """
    q, r = torch.linalg.qr(matrices.mT)
    signs = torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0).to(q.dtype)
    turned: Tensor = q * signs[..., None, :]
    return turned.mT


def scaled(matrices: Tensor, scales: Tensor, side: Side) -> Tensor:
    """Return M e^s for tails and M^T e^-s for heads: what known entities, as rows, meet.

    Parameters
    ----------
    matrices : Float["m g s s"]
        Orthogonal matrices of relations, one for each group of coordinates.
    scales : Float["m d"]
        Logarithms s of the scales of relations.
    side : "head" or "tail"
        The slot that is asked for.

    Returns
    -------
    Float["m g s s"]

    References
    ----------
    Tang et al., Orthogonal Relation Transforms with Graph Context Modeling for Knowledge Graph
    Embedding, ACL 2020, Eq. 3-6.
    """
    if side == "head":
        matrices, scales = matrices.mT, -scales
    return matrices * scales.exp().view(*matrices.shape[:2], 1, -1)


def transform(vectors: Tensor, matrices: Tensor, index: Tensor) -> Tensor:
    """Return Float["p d"], each group of each vector times its matrix.

    Vectors are grouped by relation, so that no [p, d, s] array of copied matrices is made; cheapest
    where they stand so already.

    Parameters
    ----------
    vectors : Float["p d"]
        Row vectors.
    matrices : Float["m g s s"]
        Matrices of relations, one for each group of coordinates.
    index : Int["p"]
        The relation of each vector.
    """
    if not may_ask(index):
        parts = torch.split(vectors, matrices.shape[-1], dim=1)
        return torch.cat(
            [project(part, matrices[:, g], index) for g, part in enumerate(parts)], dim=1
        )
    grouped = bool((index[1:] >= index[:-1]).all())
    order = None if grouped else torch.argsort(index, stable=True)
    sizes = torch.bincount(index, minlength=len(matrices)).tolist()
    parts = torch.split(vectors if order is None else vectors[order], sizes)
    moved = torch.cat(
        [
            (part.view(len(part), *matrix.shape[:2]).transpose(0, 1) @ matrix)  # [g n s]
            .transpose(0, 1)
            .reshape(part.shape)
            for part, matrix in zip(parts, matrices.unbind(), strict=True)
        ]
    )
    return moved if order is None else moved[torch.argsort(order)]


def distance(
    compare: Compare,
    size: int,
    query: Tensor,
    table: Tensor,
    modal: Tensor | None = None,
    gate: Tensor | None = None,
) -> Tensor:
    """Return minus the sum over groups of ``size`` coordinates of their Euclidean distances.

    Each group is one comparison by ``compare``, whose other arguments are those of the kernels.
    """
    queries, tables = torch.split(query, size, dim=1), torch.split(table, size, dim=1)
    modals = [None] * len(tables) if modal is None else torch.split(modal, size, dim=1)
    total: Tensor = sum(  # type: ignore[assignment]
        compare("l2", q, c, modal=m, gate=gate)
        for q, c, m in zip(queries, tables, modals, strict=True)
    )
    return total
