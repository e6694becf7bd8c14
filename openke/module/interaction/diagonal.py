"""Diagonal form: sum_k h_k r_k t_k, the same for both sides."""

from torch import Tensor


def query(anchor: Tensor, relation: Tensor) -> Tensor:
    """Return the vector whose dot product with the answer is the score: the product by elements.

    Parameters
    ----------
    anchor : Float["q d"]
        Vector of the known entity, head or tail.
    relation : Float["q d"]
        Vector of the relation.

    Returns
    -------
    Float["q d"]

    References
    ----------
    Yang et al., Embedding Entities and Relations for Learning and Inference in Knowledge Bases,
    ICLR 2015.
    """
    return anchor * relation
