"""Hyperplane: what is left of an entity without its part along the relation's normal."""

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor


def project(entity: Tensor, normal: Tensor) -> Tensor:
    """Return e - (e . n) n, n the L2-normalised ``normal``.

    Parameters
    ----------
    entity : Float["p d"]
        Vectors of entities.
    normal : Float["p d"]
        Normal of the relation each is seen by, of any length but zero.

    Returns
    -------
    Float["p d"]

    References
    ----------
    Wang et al., Knowledge Graph Embedding by Translating on Hyperplanes, AAAI 2014.
    """
    unit = F.normalize(normal, dim=-1)
    along = (entity * unit).sum(dim=-1, keepdim=True)  # [p 1]
    return entity - along * unit
