"""Models with pictures and text in PyTorch, the distinct entities of a batch encoded once."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, normalize

from common.plain import Parts, Placed, Plain, log_sigmoid_loss, mean_of_ends, weighed
from common.plain_comparing import complex_distance, distance, moved, turned
from common.plain_rows import frozen, rows_at

Pairs = tuple[tuple[int, int], ...]
FOUR = ((0, 0), (1, 1), (0, 1), (1, 0))
"""Within and across structure (0) and modalities (1)."""
ENERGIES: Mapping[str, Pairs] = {
    "IKRL": FOUR,
    "TBKGC": (*FOUR, (2, 2)),
    "QEB": (*FOUR, (2, 2)),
    "MMKRL": ((0, 0), (1, 1), (1, 2), (2, 1)),
}
"""Which part of a head meets which of a tail. Part 2 is the sum of 0 and 1; for MMKRL part 0 is
structure mapped as that of a head or of a tail, and part 2 structure itself."""


class PlainEnergies(Plain):
    """IKRL, TBKGC, QEB, which has two tables of relations, and MMKRL: L1 energies.

    Of QEB and MMKRL the mean, of the others the sum.
    """

    query, compare = staticmethod(moved), staticmethod(distance)

    def __init__(
        self, name: str, entities: int, relations: int, dim: int, features: list[Tensor]
    ) -> None:
        super().__init__()
        self.pairs = ENERGIES[name]
        assert set(self.pairs) == {(b, a) for a, b in self.pairs}  # so heads are asked by them, too
        self.summed = name in ("TBKGC", "QEB")
        self.mean = name in ("QEB", "MMKRL")
        self.entity = nn.Embedding(entities, dim)
        self.relations = nn.ModuleList(
            nn.Embedding(relations, dim) for _ in range(2 if name == "QEB" else 1)
        )
        if name == "TBKGC":
            layers = [nn.Linear(rows.shape[1], dim // 2) for rows in features]
        else:  # one table of all that is projected together
            features = [torch.cat(features[:1] if name == "IKRL" else features, dim=1)]
            layers = [nn.Linear(features[0].shape[1], dim, bias=name != "IKRL")]
        self.features = frozen(features)
        self.projections = nn.ModuleList(layers)

    def sides(self, structural: Tensor, modal: Tensor) -> tuple[Parts, Parts]:
        """Return the parts as heads and as tails."""
        both = [structural, modal]
        if self.summed:
            both.append(structural + modal)
        return both, both

    def encode(self, entities: Tensor | None) -> tuple[Parts, Parts]:
        """Return the parts of distinct entities."""
        projected = [
            project(rows_at(table, entities))
            for project, table in zip(self.projections, self.features, strict=True)
        ]
        modal = projected[0] if len(projected) == 1 else torch.cat(projected, dim=-1)
        return self.sides(rows_at(self.entity.weight, entities), modal)

    def vectors(self, relation: Tensor) -> list[Tensor]:
        """Return each table's rows."""
        return [table(relation) for table in self.relations]


class PlainMMKRL(PlainEnergies):
    """MMKRL and its alignment."""

    def __init__(self, entities: int, relations: int, dim: int, features: list[Tensor]) -> None:
        super().__init__("MMKRL", entities, relations, dim, features)
        self.mapping = nn.Linear(dim, dim, bias=False)
        self.alignment = nn.Linear(dim, dim, bias=False)
        self.biases = nn.Parameter(torch.randn(3, dim))

    def sides(self, structural: Tensor, modal: Tensor) -> tuple[Parts, Parts]:
        """Return mapped structure, modalities and structure."""
        mapped = self.mapping(structural)
        as_head, as_tail = mapped + self.biases[0], mapped + self.biases[1]
        return [as_head, modal, structural], [as_tail, modal, structural]

    def vectors(self, relation: Tensor) -> list[Tensor]:
        """Return the mapped rows of relations."""
        rows = self.mapping(self.relations[0].weight) + self.biases[2]
        return [rows[relation]]

    def loss(self, placed: Placed) -> Tensor:
        """Return the loss of the scores and the alignment."""
        encoded = self.encode(placed.entities)
        return log_sigmoid_loss(*self.scores(placed, encoded)) + self.aligned(placed, encoded)

    def aligned(self, placed: Placed, encoded: tuple[Parts, Parts]) -> Tensor:
        """Return how far structure is from modalities and from what it is mapped to."""
        (as_head, modal, structural), (as_tail, *_) = encoded
        across = (self.alignment(structural) - modal).square().mean(dim=1)
        heads = (structural - as_head).square().mean(dim=1) + across
        tails = (structural - as_tail).square().mean(dim=1) + across
        table = self.relations[0].weight
        mapped = self.mapping(table) + self.biases[2]
        relations = (table - mapped).square().mean(dim=1)
        return mean_of_ends(heads, tails, placed) + relations[placed.relation].mean()


class PlainAdaMF(Plain):
    """RotatE on the weighted sum of structure and projected features, which are trained, too."""

    query, compare = staticmethod(turned), staticmethod(complex_distance)

    def __init__(self, entities: int, relations: int, dim: int, features: list[Tensor]) -> None:
        super().__init__()
        self.entity = nn.Embedding(entities, dim)
        self.relation = nn.Embedding(relations, dim // 2)
        nn.init.uniform_(self.entity.weight, -14 / dim, 14 / dim)
        nn.init.uniform_(self.relation.weight, -math.pi, math.pi)
        self.features = nn.ParameterList([nn.Parameter(rows.clone()) for rows in features])
        self.projections = nn.ModuleList(nn.Linear(rows.shape[1], dim) for rows in features)
        self.attention = nn.Linear(dim, 1, bias=False)

    def views(self, entities: Tensor) -> list[Tensor]:
        """Return structure and each modality, Float["u d"]."""
        modal = [
            project(rows_at(table, entities))
            for project, table in zip(self.projections, self.features, strict=True)
        ]
        return [rows_at(self.entity.weight, entities), *modal]

    def fuse(self, views: list[Tensor]) -> Tensor:
        """Return the weighted sum."""
        return weighed(views, self.attention)

    def encode(self, entities: Tensor | None) -> tuple[Parts, Parts]:
        """Return the sum, as the one part."""
        parts = [self.fuse(self.views(entities))]
        return parts, parts


class PlainTransAE(Plain):
    """TransE on the code of an autoencoder; features are taken as they are."""

    query, compare = staticmethod(moved), staticmethod(distance)

    def __init__(
        self, relations: int, dim: int, hidden: tuple[int, ...], features: list[Tensor]
    ) -> None:
        super().__init__()
        self.features = frozen(features)
        self.enter, self.expand, self.rebuild = (
            nn.ModuleList(nn.Linear(*shape, bias=False) for shape in shapes)
            for shapes in (
                [(rows.shape[1], width) for rows, width in zip(features, hidden, strict=True)],
                [(dim, width) for width in hidden],
                [(width, rows.shape[1]) for rows, width in zip(features, hidden, strict=True)],
            )
        )
        self.code = nn.Linear(sum(hidden), dim, bias=False)
        self.relation = nn.Embedding(relations, dim)

    def encode(self, entities: Tensor | None) -> tuple[Parts, Parts]:
        """Return the codes, as the one part."""
        with torch.no_grad():
            self.code.weight.copy_(normalize(self.code.weight))
        hidden = [
            enter(rows_at(rows, entities)).sigmoid()
            for enter, rows in zip(self.enter, self.features, strict=True)
        ]
        parts = [self.code(torch.cat(hidden, dim=1)).sigmoid()]
        return parts, parts

    def loss(self, placed: Placed) -> Tensor:
        """Return the loss of the scores and the errors of what is rebuilt, of both entities."""
        encoded = self.encode(placed.entities)
        return log_sigmoid_loss(*self.scores(placed, encoded)) + self.rebuilt(placed, encoded)

    def rebuilt(self, placed: Placed, encoded: tuple[Parts, Parts]) -> Tensor:
        """Return the errors of what is rebuilt of both entities."""
        (codes,), _ = encoded
        ways = zip(self.expand, self.rebuild, self.features, strict=True)
        each = [
            mse_loss(
                rebuild(expand(codes).sigmoid()),
                rows_at(rows, placed.entities),
                reduction="none",
            ).mean(dim=1)
            for expand, rebuild, rows in ways
        ]
        total: Tensor = sum(each[1:], start=each[0])
        return mean_of_ends(total, total, placed)
