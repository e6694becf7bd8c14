"""Translation: the tail lies where the relation carries the head, t = h + r."""

from torch import Tensor

from openke.data.batch import Side


def query(anchor: Tensor, relation: Tensor, side: Side) -> Tensor:
    """Return where the missing entity should lie: h + r for tails, t - r for heads.

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
    Bordes et al., Translating Embeddings for Modeling Multi-relational Data, NIPS 2013.
    """
    return anchor + relation if side == "tail" else anchor - relation
