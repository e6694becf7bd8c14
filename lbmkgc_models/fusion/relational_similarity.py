"""How alike entities are to a relation: in each modality and in structure.

Shapes: n entities, p parts of a modality (the most feature rows that an entity has), q parts of the
other one, k reals of a vector, s and r reals of a structural row and of a relation, h hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, normalize

from lbmkgc_models.feature_store.store import ModalFeatures
from lbmkgc_models.fusion.feature_rows import FeatureRows

Of = TypeVar("Of")

SLOPE = 0.1
"""Of leaky ReLUs below zero."""
STRUCTURE = "structure"


class Seen(NamedTuple):
    """Entities before a relation looks at them."""

    parts: dict[str, Tensor]
    """Float["n p k"] of each modality, zeros where an entity lacks it, or has fewer parts"""
    there: dict[str, Tensor]
    """Bool["n"] of each modality"""
    structure: Tensor
    """Float["n s"]"""

    def rows(self, index: slice) -> Seen:
        """Return some of the entities."""
        return Seen(
            {name: tensor[index] for name, tensor in self.parts.items()},
            {name: tensor[index] for name, tensor in self.there.items()},
            self.structure[index],
        )


class CrossAttention(nn.Module):
    """A modality as the parts of the other one and a relation see it.

    With V (p k) and X (q k) the parts of both, C = V X^T and a gate G = sigma(W r) (p q), it is a
    linear map of all numbers of LN(softmax(C^T) V) + LN((G o C)^T V), Float["q k"].

    Parameters
    ----------
    parts, others
        p and q.
    dim, relation
        k and r.
    """

    def __init__(self, parts: int, others: int, dim: int, relation: int) -> None:
        super().__init__()
        self.shape = (parts, others)
        self.gate = nn.Linear(relation, parts * others)
        self.projection = nn.Linear(others * dim, dim)

    def forward(self, own: Tensor, other: Tensor, relation: Tensor, norm: nn.Module) -> Tensor:
        """Return Float["n k"] of Float["n p k"], Float["n q k"] and a relation, Float["r"]."""
        cross = other @ own.transpose(1, 2)  # [n q p]
        gate = self.gate(relation).sigmoid().view(self.shape).t()
        seen = norm(cross.softmax(dim=2) @ own) + norm((gate * cross) @ own)
        projected: Tensor = self.projection(seen.flatten(1))
        return projected


class RelationalSimilarity(nn.Module):
    """Cosines of entities as relations see them, in each modality and in structure.

    In structure an entity is s o sigma(W3 LReLU(W4 [s; r])).

    Parameters
    ----------
    features
        Frozen features of at most two modalities, with one row of an entity or several.
    dim, hidden
        k and h.
    entity, relation
        s and r.

    References
    ----------
    Xu et al., Relation-enhanced Negative Sampling for Multimodal Knowledge Graph Completion, ACM
    MM 2022, with 24 rows of a picture and 4 of text. Where each modality has one row, gates hardly
    count: they scale what is normalised next. What differs: a modality that one of two entities
    lacks makes them neither alike nor unlike, cosine 0; lengths have gradients, too.
    """

    def __init__(
        self,
        features: Mapping[str, ModalFeatures],
        dim: int,
        hidden: int,
        entity: int,
        relation: int,
    ) -> None:
        super().__init__()
        self.names = sorted(features)
        self.dim = dim
        self.rows = nn.ModuleDict({name: FeatureRows(features[name]) for name in self.names})
        self.inputs = nn.ModuleDict(
            {name: nn.Linear(features[name].dim, dim) for name in self.names}
        )
        parts = {name: features[name].parts or 1 for name in self.names}
        self.attention = nn.ModuleDict(
            {
                name: CrossAttention(parts[name], _other(parts, name, 1), dim, relation)
                for name in self.names
            }
        )
        if self.names:
            self.norm = nn.LayerNorm(dim)
        self.first = nn.Linear(entity + relation, hidden)
        self.second = nn.Linear(hidden, entity)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)

    def see(self, entities: Tensor, structure: Tensor) -> Seen:
        """Return entities (Int["n"]) with structural rows (Float["n s"]), for any relation."""
        parts, there = {}, {}
        for name in self.names:
            rows = self.rows[name]
            assert isinstance(rows, FeatureRows)
            there[name] = rows.has[entities]
            projected = leaky_relu(self.inputs[name](rows(entities)), SLOPE)
            found = projected * rows.present[entities][..., None]
            parts[name] = found if found.dim() == 3 else found[:, None]
        return Seen(parts, there, structure)

    def compare(self, first: Seen, second: Seen, relation: Tensor) -> dict[str, Tensor]:
        """Return the cosines of all pairs, Float["n m"], by the name of what they compare.

        ``relation`` is the row of the one that looks, Float["r"].
        """
        cosines = {}
        for name in self.names:
            ends = [normalize(self._modal(name, seen, relation), dim=1) for seen in (first, second)]
            both = first.there[name][:, None] & second.there[name][None]
            cosines[name] = (ends[0] @ ends[1].t()) * both
        ends = [normalize(self._structural(s.structure, relation), dim=1) for s in (first, second)]
        return {**cosines, STRUCTURE: ends[0] @ ends[1].t()}

    def _modal(self, name: str, seen: Seen, relation: Tensor) -> Tensor:
        own = seen.parts[name]
        other = _other(seen.parts, name, own.new_zeros(len(own), 1, self.dim))
        attended: Tensor = self.attention[name](own, other, relation, self.norm)
        return attended

    def _structural(self, rows: Tensor, relation: Tensor) -> Tensor:
        joined = torch.cat([rows, relation.expand(len(rows), -1)], dim=1)
        kept: Tensor = self.second(leaky_relu(self.first(joined), SLOPE)).sigmoid()
        return rows * kept

    def digests(self) -> dict[str, str]:
        """Return the digest of each modality's features."""
        found = {}
        for name, rows in self.rows.items():
            assert isinstance(rows, FeatureRows)
            found[name] = rows.digest()
        return found


def _other(by_name: Mapping[str, Of], name: str, alone: Of) -> Of:
    """Return what the other modality has; ``alone`` where there is none."""
    return next((found for other, found in by_name.items() if other != name), alone)
