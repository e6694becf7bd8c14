"""Paired relation vectors: one scales entities as heads, the other scales them as tails."""

from torch import Tensor


def project(entity: Tensor, relation: Tensor) -> tuple[Tensor, Tensor]:
    """Return e r^H and e r^T: the entity as a head and as a tail of the relation.

    The distance of a triple is that of its head as a head and its tail as a tail.

    Parameters
    ----------
    entity : Float["p d"]
        Vectors of entities.
    relation : Float["p 2d"]
        Vectors of the relation each is seen by: r^H, then r^T.

    Returns
    -------
    tuple of Float["p d"]

    References
    ----------
    Chao et al., PairRE: Knowledge Graph Embeddings via Paired Relation Vectors, ACL 2021.
    """
    as_head, as_tail = relation.chunk(2, dim=-1)
    return entity * as_head, entity * as_tail
