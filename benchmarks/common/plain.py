"""The same work in PyTorch, written well: what speed is held to, eager and compiled.

Of a negative only the entity that was put in is gathered; what it is compared with belongs to the
fact and its side.

Shapes: b positives, k negatives of each, u distinct entities, d reals per vector.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from common.plain_comparing import WAYS, Compare, Query, complex_distance
from common.plain_data import Drawn, Triples, draw_negatives
from common.plain_rows import frozen, rows_at
from openke.data.store import TripleStore
from openke.training.optimizers.choose import has_fused_step

Found = TypeVar("Found")
Parts = list[Tensor]
"""What of entities is compared, Float["u d"] each."""


class Placed(NamedTuple):
    """What was drawn, as places among distinct entities."""

    entities: Tensor | None
    """Ids, Int["u"]; None where places are ids of all entities."""
    head: Tensor
    """Int["b"], as are relation and tail."""
    relation: Tensor
    """Ids, not places."""
    tail: Tensor
    others: Tensor
    """What stands in place of the head or of the tail, Int["b k"]; Int["1 k"] where shared."""
    modal: Tensor | None
    """Whose modal parts stand there, of the same shape; None: those of ``others``."""
    on_head: Tensor
    """Bool["b k"]; Bool["b 1"] where shared."""
    facts: Tensor | None
    """Which negatives are facts, Bool["b k"]; None: none is."""


class Plain(nn.Module):
    """Compares queries with entities, part by part, and adds the scores."""

    distinct = True
    """Whether the distinct entities of a batch are encoded; else the rows of a table are read."""
    pairs: tuple[tuple[int, int], ...] = ((0, 0),)
    """The part of a query's entity, and that of the candidate, of each score."""
    mean = False
    """Whether scores are averaged, not added."""
    query: Query
    compare: Compare
    relation: nn.Embedding

    def encode(self, entities: Tensor | None) -> tuple[Parts, Parts]:
        """Return the parts of entities as heads, and as tails."""
        raise NotImplementedError

    def vectors(self, relation: Tensor) -> list[Tensor]:
        """Return what moves entities, Float["b d"] each; several have scores of their own."""
        return [self.relation(relation)]

    def met(
        self, parts: Parts, own: Tensor, relation: Tensor, modal: Tensor | None = None
    ) -> Parts:
        """Return parts at places, Int["b"] or Int["b k"], all but the first one's at ``modal``."""
        places = [own] + [own if modal is None else modal] * (len(parts) - 1)
        return [rows_at(part, place) for part, place in zip(parts, places, strict=True)]

    def scores(self, placed: Placed, encoded: tuple[Parts, Parts]) -> tuple[Tensor, Tensor]:
        """Return the scores of positives, Float["b"], and of negatives, Float["b k"]."""
        heads, tails = encoded
        head, relation, tail = placed.head, placed.relation, placed.tail
        true_heads = self.met(heads, head, relation)
        true_tails = self.met(tails, tail, relation)
        candidates = self.candidates(encoded, placed)
        on_head = placed.on_head[..., None]
        positive, negative = [], []
        for vector in self.vectors(relation):
            of_tails = [self.query(h, vector, "tail") for h in true_heads]
            of_heads = [self.query(t, vector, "head") for t in true_tails]
            asked = [
                torch.where(on_head, h[:, None], t[:, None])
                for h, t in zip(of_heads, of_tails, strict=True)
            ]
            positive += [self.compare(of_tails[a], true_tails[b]) for a, b in self.pairs]
            negative += [self.compare(asked[a], candidates[b]) for a, b in self.pairs]
        of_negatives = self.total(negative)
        if placed.facts is not None:
            of_negatives = of_negatives.masked_fill(placed.facts, -1e9)
        return self.total(positive), of_negatives

    def candidates(self, encoded: tuple[Parts, Parts], placed: Placed) -> Parts:
        """Return the parts of what was put in, Float["b k d"] each, or Float["1 k d"]."""
        heads, tails = encoded
        both = [t if h is t else torch.cat([t, h]) for h, t in zip(heads, tails, strict=True)]
        own, modal = placed.others, placed.modal
        if both[0] is not tails[0]:  # a part differs by side: heads stand below tails
            own, modal = own + placed.on_head * len(tails[0]), own if modal is None else modal
        return self.met(both, own, placed.relation, modal)

    def total(self, scores: list[Tensor]) -> Tensor:
        """Return the sum or the mean."""
        total: Tensor = sum(scores[1:], start=scores[0])
        return total / len(scores) if self.mean else total

    def forward(self, head: Tensor, relation: Tensor, tail: Tensor) -> Tensor:
        """Return the score of each triple, Float["b"]."""
        others = tail[:, None]
        triples = torch.stack([head, relation, tail], dim=1)
        return self.scores_of(Drawn(triples, others, torch.zeros_like(others).bool(), None))[0]

    def scores_of(self, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """Return the scores of positives, Float["b"], and of negatives, Float["b k"]."""
        placed = self.placed(drawn)
        return self.scores(placed, self.encode(placed.entities))

    def placed(self, drawn: Drawn, modal: Tensor | None = None) -> Placed:
        """Return what was drawn; ``modal``, Int["b k"]: whose modal parts stand there."""
        head, relation, tail = drawn.positive.unbind(dim=1)
        given = [head, tail, drawn.others, *([] if modal is None else [modal])]
        if not self.distinct:
            places, entities = given, None
        else:
            ids = torch.cat([each.reshape(-1) for each in given])
            entities, place = torch.unique(ids, return_inverse=True)
            parts = place.split([each.numel() for each in given])
            places = [part.view(each.shape) for part, each in zip(parts, given, strict=True)]
        own, other, others, *rest = places
        put = others, rest[0] if rest else None
        return Placed(entities, own, relation, other, *put, drawn.on_head, drawn.facts)

    def loss(self, placed: Placed) -> Tensor:
        """Return the loss of a batch."""
        return log_sigmoid_loss(*self.scores(placed, self.encode(placed.entities)))


class PlainModel(Plain):
    """Tables, and for LBMKGC a projection of each feature table, of distinct entities alone."""

    def __init__(
        self, name: str, entities: int, relations: int, dim: int, features: list[Tensor]
    ) -> None:
        super().__init__()
        self.query, self.compare = WAYS[name]
        self.distinct = bool(features)
        turned = self.compare is complex_distance
        self.entity = nn.Embedding(entities, dim)
        self.relation = nn.Embedding(relations, dim // 2 if turned else dim)
        nn.init.uniform_(self.entity.weight, -14 / dim, 14 / dim)
        nn.init.uniform_(self.relation.weight, -math.pi, math.pi)
        self.features = frozen(features)
        self.projections = nn.ModuleList(
            nn.Sequential(nn.Linear(f.shape[1], dim), nn.ReLU(), nn.Linear(dim, dim))
            for f in features
        )
        self.attention = nn.Linear(dim, 1, bias=False)
        self.gate = nn.Embedding(relations, 1)

    def fused(self, entities: Tensor) -> Tensor:
        """Return the weighted projections, Float["u d"]."""
        modal = [
            project(rows_at(table, entities))
            for project, table in zip(self.projections, self.features, strict=True)
        ]
        return weighed(modal, self.attention)

    def encode(self, entities: Tensor | None) -> tuple[Parts, Parts]:
        """Return the rows of the table, and for LBMKGC what features make."""
        if entities is None:
            return [self.entity.weight], [self.entity.weight]
        parts = [rows_at(self.entity.weight, entities), self.fused(entities)]
        return parts, parts

    def met(
        self, parts: Parts, own: Tensor, relation: Tensor, modal: Tensor | None = None
    ) -> Parts:
        """Return what entities are to the relation of their fact."""
        rows = super().met(parts, own, relation, modal)
        if len(rows) == 1:
            return rows
        gate = self.gate(relation).sigmoid()
        gate = gate if own.dim() == 1 else gate[:, None]
        return [torch.lerp(rows[1], rows[0], gate)]


def weighed(views: list[Tensor], attention: nn.Linear) -> Tensor:
    """Return the sum of Float["u d"] each, weighed by the softmax of what attention says."""
    logits = torch.cat([attention(view.tanh()) for view in views], dim=1)
    weights = logits.softmax(dim=1).split(1, dim=1)
    total = weights[0] * views[0]
    for weight, view in zip(weights[1:], views[1:], strict=True):
        total = torch.addcmul(total, weight, view)
    return total


# ---- training ------------------------------------------------------------------------------------


def log_sigmoid_loss(positive: Tensor, negative: Tensor) -> Tensor:
    """Return the self-adversarial loss of Float["b"] and Float["b k"]; margin 12."""
    positive, negative = 12.0 + positive, 12.0 + negative
    weights = negative.detach().softmax(dim=-1)
    return -(logsigmoid(positive).mean() + (weights * logsigmoid(-negative)).sum(-1).mean()) / 2


def mean_of_ends(heads: Tensor, tails: Tensor, placed: Placed) -> Tensor:
    """Return the mean over positives and negatives of what belongs to both of their entities.

    Parameters
    ----------
    heads, tails
        A number of each distinct entity as a head and as a tail, Float["u"].
    """
    h, t = heads[placed.head], tails[placed.tail]
    put = heads[placed.others] + t[:, None], h[:, None] + tails[placed.others]
    negative = torch.where(placed.on_head, *put)
    return torch.cat([(h + t)[:, None], negative], dim=1).mean()


def adam(module: nn.Module) -> torch.optim.Optimizer:
    """Return Adam for what a module trains, fused where PyTorch has that."""
    fused = has_fused_step("adam", torch.device("cpu"))
    trained = [each for each in module.parameters() if each.requires_grad]
    return torch.optim.Adam(trained, lr=1e-3, fused=fused)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


class PlainSampling:
    """Negative sampling; other objectives change what a step does.

    Parameters
    ----------
    compiled
        Whether ``torch.compile`` makes what scores and losses run by.
    shared
        Whether a batch has one set of negatives.
    """

    def __init__(
        self,
        model: Plain,
        store: TripleStore,
        negatives: int,
        *,
        compiled: bool = False,
        shared: bool = False,
    ) -> None:
        self.model = model
        self.random = np.random.default_rng(0)
        self.draw = draw_negatives(store, self.random, negatives, shared=shared)
        self.optimizer = adam(model)
        self.compiled = compiled
        self.loss = self.made_fast(model.loss)

    def made_fast(self, function: Callable[..., Found]) -> Callable[..., Found]:
        """Return a function, compiled where that is wanted."""
        if not self.compiled:
            return function
        made: Callable[..., Found] = torch.compile(function)
        return made

    def step(self, positive: Triples) -> None:
        """Train on Int["b 3"]."""
        descend(self.optimizer, self.loss(self.model.placed(self.draw(positive))))
