"""Dynamic mapping: an entity and a relation together make the matrix that carries one over."""

import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor


def project(entity: Tensor, entity_transfer: Tensor, relation_transfer: Tensor) -> Tensor:
    """Return (r_p e_p^T + I) e, scaled to length 1.

    I is the identity of dim_r rows and dim_e columns: it cuts e off or fills it up with zeros.

    Parameters
    ----------
    entity : Float["p dim_e"]
        Vectors e of entities.
    entity_transfer : Float["p dim_e"]
        Their projection vectors e_p.
    relation_transfer : Float["p dim_r"]
        Projection vector r_p of the relation each is seen by.

    Returns
    -------
    Float["p dim_r"]

    References
    ----------
    Ji et al., Knowledge Graph Embedding via Dynamic Mapping Matrix, ACL 2015.
    """
    missing = relation_transfer.shape[-1] - entity.shape[-1]
    resized = F.pad(entity, (0, missing))  # [p dim_r]; a negative number cuts off
    weight = (entity * entity_transfer).sum(dim=-1, keepdim=True)  # [p 1]
    return F.normalize(resized + weight * relation_transfer, dim=-1)
