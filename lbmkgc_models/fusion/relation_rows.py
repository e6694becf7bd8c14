"""Features of relations: of their names, and of the pictures of what they relate.

Shapes: r relations, k rows of each, f features.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.modal_tokens import Tokens

RelationFeatures = Mapping[str, Tokens]
"""By modality Float["r k f"] and Bool["r k"], which of these are there."""


class RelationRows(nn.Module):
    """Frozen features of relations, which checkpoints hold: there is no store of them.

    Parameters
    ----------
    shape
        r, k and f.
    given
        The rows; None: all are missing.

    Raises
    ------
    ValueError
        Rows of another shape.
    """

    values: Tensor
    present: Tensor

    def __init__(self, shape: tuple[int, int, int], given: Tokens | None = None) -> None:
        super().__init__()
        if given is None:
            given = Tokens(torch.zeros(shape), torch.zeros(shape[:2], dtype=torch.bool))
        if tuple(given.values.shape) != shape:
            raise ValueError(
                f"features of relations have the shape {list(given.values.shape)}, expected "
                f"{list(shape)}: relations, rows of each, reals of a row"
            )
        self.register_buffer("values", given.values.clone())
        self.register_buffer("present", given.there.clone())

    def forward(self, relation: Tensor) -> Tokens:
        """Return the rows of relations (Int["q"])."""
        return Tokens(self.values[relation], self.present[relation])


def pictures_of_facts(
    head: Tensor, relation: Tensor, tail: Tensor, image: ModalFeatures, relations: int, most: int
) -> Tokens:
    """Return up to ``most`` rows of each relation, the pictures of both ends of a fact: [v_h; v_t].

    Of the facts whose ends both have a picture (Int["n"] each) they are taken at even distances.

    Returns
    -------
    Tokens
        Float["r most 2f"] and Bool["r most"].
    """
    rows = image.values if image.parts == 0 else image.values[:, 0]
    seen = image.present if image.parts == 0 else image.present[:, 0]
    values = torch.zeros(relations, most, 2 * image.dim)
    there = torch.zeros(relations, most, dtype=torch.bool)
    both = (seen[head] & seen[tail]).nonzero().flatten()
    for one in torch.unique(relation[both]).tolist():
        facts = both[relation[both] == one]
        at = facts[torch.linspace(0, len(facts) - 1, min(most, len(facts))).long()]
        values[one, : len(at)] = torch.cat([rows[head[at]], rows[tail[at]]], dim=1)
        there[one, : len(at)] = True
    return Tokens(values, there)
