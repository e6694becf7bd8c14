"""Several trained models as one, weighed for each relation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from openke.data.batch import Side
from openke.module.model.model import Model
from openke.module.scoring.compare import Compare
from openke.module.scoring.contract import ask
from openke.module.scoring.encodings import Encodings
from openke.module.scoring.triples import score_triples

ID, WEIGHTS = "id", "weights"
SIDES: tuple[Side, ...] = ("head", "tail")
"""In the order of the weights."""


class Mixture(Model):
    """Score sum_i w_i(r, slot) s_i(h, r, t) of models s_i that were trained alone.

    So a model that reads pictures may count where a picture shows the answer, and nowhere else. A
    relation has weights of its own where heads are asked for. At the start all are 1 / n;
    :func:`openke.evaluation.mixing.mix` fits them to the valid split.

    Parameters
    ----------
    parts
        Two models or more of the same entities and relations. Each may be around another one, such
        as :class:`.Reciprocal`.

    Raises
    ------
    ValueError
        One model, models of different graphs, one that is written for OpenKE, or one whose entities
        look different to every relation.
    """

    citation = "a weighted sum of scores, fitted as in Wolpert, Stacked generalization, 1992"

    def __init__(self, parts: Sequence[Model]) -> None:
        if len(parts) < 2:
            raise ValueError(f"a mixture is of two models or more, got {len(parts)}")
        first = parts[0]
        super().__init__(first.ent_tot, first.rel_tot)
        for part in parts:
            _check(part, first)
        self.parts = nn.ModuleList(parts)
        self.asymmetric_queries = True  # type: ignore[misc]
        shape, device = (2, self.rel_tot, len(parts)), next(first.parameters()).device
        self.weights = nn.Parameter(torch.full(shape, 1 / len(parts), device=device))
        """Float["slot relation part"]: first where heads are asked for, then tails."""
        self.spread: Tensor
        self.register_buffer("spread", torch.ones(len(parts), device=device))
        # Float["part"]: how widely a part's scores of candidates that compete lie apart.

    def encode(self, entities: Tensor) -> Encodings:
        """Return what each part encodes, under its number, and "id": Int["u"]."""
        encoded: Encodings = {ID: entities}
        for number, part in enumerate(self._models()):
            encoded |= _numbered(number, part.encode(entities))
        return encoded

    def query(self, anchor: Encodings, relation: Tensor, side: Side) -> Encodings:
        """Return what each part asks, under its number, and "weights": Float["q n"]."""
        queries: Encodings = {WEIGHTS: self.weights[SIDES.index(side), relation]}
        for number, part in enumerate(self._models()):
            queries |= _numbered(number, ask(part, _of(number, anchor), relation, side))
        return queries

    def match(self, query: Encodings, candidates: Encodings, compare: Compare) -> Tensor:
        """Return the weighted sum of the parts' scores."""
        weighted = []
        for number, scores in enumerate(self.scores(query, candidates, compare)):
            weight, _ = compare.meet(query[WEIGHTS][:, number], candidates[ID])
            weighted.append(weight * scores)
        return sum(weighted[1:], start=weighted[0])

    def scores(
        self, query: Encodings, candidates: Encodings, compare: Compare
    ) -> tuple[Tensor, ...]:
        """Return the scores of each part, as ``compare`` makes them."""
        return tuple(
            part.match(_of(number, query), _of(number, candidates), compare)
            for number, part in enumerate(self._models())
        )

    def entity_embeddings(self, entities: Tensor) -> Tensor:
        """Return the parts' vectors behind each other, Float["u d"]."""
        return torch.cat([part.entity_embeddings(entities) for part in self._models()], dim=1)

    def factors(self, entities: Tensor, encodings: Encodings | None = None) -> Tensor:
        """Return the parts' vectors behind each other, Float["u d"]."""
        return torch.cat([part.factors(entities) for part in self._models()], dim=1)

    def vectors(self, entities: Tensor) -> Tensor:
        """Return the parts' vectors behind each other, Float["u d"]."""
        return torch.cat([part.vectors(entities) for part in self._models()], dim=1)

    def relation_embeddings(self, relation: Tensor) -> Tensor:
        """Return the parts' vectors behind each other, Float["q d"]."""
        return torch.cat([part.relation_embeddings(relation) for part in self._models()], dim=1)

    def contributions(self, head: Tensor, relation: Tensor, tail: Tensor) -> dict[str, Tensor]:
        """Return by name of a part what it adds to the score of triples, Int["n"]: Float["n"]."""
        weights = self.weights[SIDES.index("tail"), relation]
        return {
            name: weights[:, number] * score_triples(part, head, relation, tail)
            for number, (name, part) in enumerate(zip(self.names, self._models(), strict=True))
        }

    @property
    def names(self) -> list[str]:
        """The parts' names; several of one name are numbered."""
        names = [str(part.identity()["model"]) for part in self._models()]
        return [
            name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}"
            for place, name in enumerate(names)
        ]

    def worth(self) -> Tensor:
        """Return Float["slot relation part"]: weights times spread, as shares.

        The shares of a relation sum to 1. Weights alone say little: the scores of one part may lie
        ten times as far apart as those of another.
        """
        moved = self.weights.detach() * self.spread
        return moved / moved.abs().sum(dim=2, keepdim=True).clamp(min=1e-12)

    def identity(self) -> dict[str, Any]:
        """Return the parts' identities, too."""
        return {**super().identity(), "parts": [part.identity() for part in self._models()]}

    def _models(self) -> list[Model]:
        return [part for part in self.parts if isinstance(part, Model)]


def _check(part: Model, first: Model) -> None:
    name = type(part).__name__
    if part.in_openke_form or part.projects_entities:
        why = (
            "is written for OpenKE, which knows no queries"
            if part.in_openke_form
            else "has other entities for every relation"
        )
        raise ValueError(f"{name} {why}: it cannot be a part of a mixture")
    sizes, expected = (part.ent_tot, part.rel_tot), (first.ent_tot, first.rel_tot)
    if sizes != expected:
        raise ValueError(
            f"{name} is of {sizes[0]} entities and {sizes[1]} relations, the first part of "
            f"{expected[0]} and {expected[1]}: they belong to different graphs"
        )


def _numbered(number: int, encodings: Encodings) -> Encodings:
    return {f"{number} {name}": tensor for name, tensor in encodings.items()}


def _of(number: int, encodings: Encodings) -> Encodings:
    begin = f"{number} "
    return {
        name.removeprefix(begin): tensor
        for name, tensor in encodings.items()
        if name.startswith(begin)
    }
