"""How alike entities are to a relation: in each modality and in structure.

Shapes: n entities, p parts of a modality (the most feature rows that an entity has), q parts of the
other one, k reals of a vector, s and r reals of a structural row and of a relation, h hidden.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class Crossed(NamedTuple):
    """A modality of entities as the parts of the other one see it, whatever the relation."""

    own: Tensor
    """Float["n p k"], V, zeros where an entity lacks the modality, or has fewer parts"""
    cross: Tensor
    """Float["n q p"], C^T"""
    even: Tensor
    """Float["n q k"], LN(softmax(C^T) V)"""
    there: Tensor
    """Bool["n"]"""


class Seen(NamedTuple):
    """Entities before a relation looks at them."""

    modal: dict[str, Crossed]
    structure: Tensor
    """Float["n s"]"""
    hidden: Tensor
    """Float["n h"], what structure adds to the hidden units"""

    def rows(self, index: slice) -> Seen:
        """Return some of the entities."""
        modal = {name: Crossed(*(t[index] for t in found)) for name, found in self.modal.items()}
        return Seen(modal, self.structure[index], self.hidden[index])


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

    def gates(self, relation: Tensor) -> Tensor:
        """Return G^T, Float["m q p"], of the rows of relations, Float["m r"]."""
        gates: Tensor = self.gate(relation).sigmoid().view(-1, *self.shape)
        return gates.transpose(1, 2)

    def forward(self, crossed: Crossed, gates: Tensor, norm: nn.Module) -> Tensor:
        """Return Float["… n k"]: gates are G^T of each entity, or Float["m 1 q p"] for all."""
        gated, own = gates * crossed.cross, crossed.own
        # A single part makes no sum: a product of small matrices would cost far more.
        seen = crossed.even + norm(gated * own if self.shape[0] == 1 else gated @ own)
        projected: Tensor = self.projection(seen.flatten(-2))
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

    @property
    def width(self) -> int:
        """Reals that one relation's look at one candidate takes, about."""
        total = 4 * self.second.out_features
        for attention in self.attention.values():
            assert isinstance(attention, CrossAttention)
            parts, others = attention.shape
            total += parts * others + (3 * others + 2) * self.dim
        return total

    def see(self, entities: Tensor, structure: Tensor) -> Seen:
        """Return entities (Int["n"]) with structural rows (Float["n s"]), for any relation."""
        parts = {name: self._parts(name, entities) for name in self.names}
        modal = {}
        for name, own in parts.items():
            other = _other(parts, name, own.new_zeros(len(own), 1, self.dim))
            cross = other @ own.transpose(1, 2)
            even = self.norm(cross.softmax(dim=2) @ own)
            modal[name] = Crossed(own, cross, even, self._rows(name).has[entities])
        weight = self.first.weight[:, : structure.shape[1]]
        return Seen(modal, structure, structure @ weight.t())

    def compare(
        self, entities: Seen, pool: Seen, relation: Tensor, counts: Sequence[int]
    ) -> dict[str, Tensor]:
        """Return the cosines of each entity and all of a pool, Float["n c"], by what they compare.

        Parameters
        ----------
        entities
            In the order of the relations that look at them.
        pool
            c entities.
        relation
            Rows of the relations, Float["m r"].
        counts
            How many of the entities each relation looks at.
        """
        repeats = torch.tensor(counts, device=relation.device)
        each = torch.arange(len(counts), device=relation.device).repeat_interleave(
            repeats, output_size=sum(counts)
        )
        cosines = {}
        for name in self.names:
            attention = self.attention[name]
            assert isinstance(attention, CrossAttention)
            gates = attention.gates(relation)
            own = attention(entities.modal[name], gates[each], self.norm)
            theirs = attention(pool.modal[name], gates[:, None], self.norm)
            both = entities.modal[name].there[:, None] & pool.modal[name].there
            cosines[name] = _cosines(own, theirs, counts) * both
        weight = self.first.weight[:, pool.structure.shape[1] :]
        looks = relation @ weight.t() + self.first.bias
        own = self._structural(entities, looks[each])
        theirs = self._structural(pool, looks[:, None])
        return {**cosines, STRUCTURE: _cosines(own, theirs, counts)}

    def _parts(self, name: str, entities: Tensor) -> Tensor:
        """Return V of a modality, Float["n p k"]."""
        rows = self._rows(name)
        layer = self.inputs[name]
        projected = rows.projected(entities, lambda some: leaky_relu(layer(some), SLOPE))
        found = projected * rows.present[entities][..., None]
        return found if found.dim() == 3 else found[:, None]

    def _structural(self, seen: Seen, looks: Tensor) -> Tensor:
        kept: Tensor = self.second(leaky_relu(seen.hidden + looks, SLOPE)).sigmoid()
        return seen.structure * kept

    def _rows(self, name: str) -> FeatureRows:
        rows = self.rows[name]
        assert isinstance(rows, FeatureRows)
        return rows

    def digests(self) -> dict[str, str]:
        """Return the digest of each modality's features."""
        return {name: self._rows(name).digest() for name in self.names}


def _cosines(own: Tensor, theirs: Tensor, counts: Sequence[int]) -> Tensor:
    """Return Float["n c"] of Float["n k"] and, for each relation, Float["m c k"]."""
    each = torch.split(normalize(own, dim=-1), list(counts))
    pairs = zip(each, normalize(theirs, dim=-1), strict=True)
    return torch.cat([some @ pool.t() for some, pool in pairs])


def _other(by_name: Mapping[str, Of], name: str, alone: Of) -> Of:
    """Return what the other modality has; ``alone`` where there is none."""
    return next((found for other, found in by_name.items() if other != name), alone)
