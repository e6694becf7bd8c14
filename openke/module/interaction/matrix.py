"""A matrix for each relation, multiplied with all vectors that meet it at once."""

import torch
from torch import Tensor

TILE = 32
"""Vectors that share one copy of a matrix on a GPU."""


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
    return (_by_group if may_ask(index) else _by_tile)(vectors, matrices, index)


def may_ask(index: Tensor) -> bool:
    """Whether asking for values costs nothing: on the CPU, where no program is being compiled."""
    return index.device.type == "cpu" and len(index) > 0 and not torch.compiler.is_compiling()


def distinct(index: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return which of ``count`` matrices occur, and where each vector's is among them.

    Where asking would wait for the device these are all of them.
    """
    if not may_ask(index):
        return torch.arange(count, device=index.device), index
    found: tuple[Tensor, Tensor] = torch.unique(index, return_inverse=True)
    return found


def _by_group(vectors: Tensor, matrices: Tensor, index: Tensor) -> Tensor:
    """Return the products, all vectors of a matrix at once: asks how many those are."""
    distinct, index, sizes = torch.unique(index, return_inverse=True, return_counts=True)
    order = torch.argsort(index, stable=True)
    groups = torch.split(vectors[order], sizes.tolist())
    # unbind, not indexing: its gradient is one stack, not a zero-filled [m d k] for each matrix.
    found = matrices.index_select(0, distinct).unbind()
    products = [group @ matrix for group, matrix in zip(groups, found, strict=True)]
    return torch.cat(products)[torch.argsort(order)]


def _by_tile(vectors: Tensor, matrices: Tensor, index: Tensor) -> Tensor:
    """Return the products, a tile of vectors of one matrix at a time: a GPU is not waited for."""
    p, m = len(index), len(matrices)
    index, order = index.sort(stable=True)
    sizes = index.new_zeros(m).index_add_(0, index, torch.ones_like(index))
    tiles = (sizes + TILE - 1) // TILE  # of each matrix
    last = tiles.cumsum(0)
    # A vector's place: the first tile of its matrix, and its rank among the vectors there.
    rank = torch.arange(p, device=index.device) - (sizes.cumsum(0) - sizes)[index]
    place = (last - tiles)[index] * TILE + rank
    most = min(p, m) + p // TILE  # tiles, of which the last ones stay empty
    tiled = vectors.new_zeros(most * TILE, vectors.shape[1]).index_copy(0, place, vectors[order])
    owner = torch.searchsorted(last, torch.arange(most, device=index.device), right=True)
    copied = matrices.index_select(0, owner.clamp(max=m - 1))  # [tiles d k]
    products = tiled.view(most, TILE, vectors.shape[1]) @ copied  # [tiles TILE k]
    found = torch.empty_like(order).scatter_(0, order, place)
    return products.flatten(0, 1).index_select(0, found)
